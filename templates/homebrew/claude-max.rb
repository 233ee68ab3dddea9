# A formula for a tap. `.ci/formula SDIST` fills in the version and the checksum of a release.
class ClaudeMax < Formula
  desc "Your Claude Code login as a local endpoint for OpenAI, Anthropic and ollama clients"
  homepage "https://pypi.org/project/claude-max-toolkit/"
  url "https://files.pythonhosted.org/packages/source/c/claude-max-toolkit/claude_max_toolkit-@VERSION@.tar.gz"
  sha256 "@SHA256@"
  license "MIT"

  depends_on "python@3.13"

  def install
    # Its dependencies come as wheels: some are in Rust, which nobody wants to build.
    system "python3.13", "-m", "venv", libexec
    system libexec/"bin/pip", "install", "--quiet", "--no-cache-dir", "#{buildpath}[cli]"
    bin.install_symlink libexec/"bin/claude-max"
    bash_completion.install "completions/claude-max.bash" => "claude-max"
    zsh_completion.install "completions/_claude-max"
    fish_completion.install "completions/claude-max.fish"
  end

  def caveats
    <<~TEXT
      Sign in once, and start it at login:
        claude-max login
        claude-max install-agent
    TEXT
  end

  test do
    assert_match "claude-max #{version}", shell_output("#{bin}/claude-max --version")
    port = free_port
    pid = spawn bin/"claude-max", "serve", "--demo", "--port", port.to_s
    sleep 10
    assert_match '"status":"ok"', shell_output("curl -s http://localhost:#{port}/health")
  ensure
    Process.kill "TERM", pid if pid
  end
end
