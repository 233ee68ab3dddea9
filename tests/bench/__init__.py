"""Measurements, run by hand: never collected by pytest, and nothing here asserts a time.

beside_the_seed   this proxy and the seed side by side, in one run, as ratios
batch             this proxy alone under a batch of unrelated requests
servers           starting both, behind the same CLI and the same scripted API
client            one streamed request, timed; many at once; processes counted meanwhile
"""
