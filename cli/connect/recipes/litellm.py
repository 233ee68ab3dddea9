"""LiteLLM's proxy in front, for several users: it has keys and budgets, which claude-max leaves to it."""

from ..formats.steps import Item
from ..recipe import File, Launch, Put, Recipe

FAMILIES = ("opus", "sonnet", "haiku")

RECIPE = Recipe(
    name="litellm",
    title="LiteLLM proxy",
    programs=("litellm",),
    files=(
        File(
            "yaml",
            places=("$APP/claude-max/litellm.yaml",),
            puts=(
                *(
                    Put(
                        ("model_list", Item("model_name", family)),
                        {
                            "model_name": family,
                            "litellm_params": {
                                "model": f"openai/{family}",
                                "api_base": "{url}/v1",
                                "api_key": "{key}",
                            },
                        },
                    )
                    for family in FAMILIES
                ),
                Put(("litellm_settings", "drop_params"), False, default=True),
                Put(("general_settings", "master_key"), "os.environ/LITELLM_MASTER_KEY", default=True),
            ),
        ),
    ),
    steps=(
        'LITELLM_MASTER_KEY=sk-… litellm --config "{file}"',
        (
            "Keys and budgets for users need a database: set DATABASE_URL (PostgreSQL) as well, then for each user\n"
            "  curl localhost:4000/key/generate -H 'Authorization: Bearer sk-…' -H 'Content-Type: application/json' "
            '-d \'{"models": ["sonnet"], "max_budget": 10, "budget_duration": "30d", "rpm_limit": 20}\''
        ),
        "Check whether others may use your subscription: see the README.",
    ),
    launch=Launch(arguments=("--config", "{folder}/litellm.yaml"), copies=("litellm.yaml",)),
)
