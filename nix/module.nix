# The NixOS module `services.transcoded`; README.md has a whole example.
{
  imports = [
    ./options.nix # what can be said
    ./service.nix # units, users and the configuration that come of it
    ./driver.nix # what NVIDIA's driver must be like, and what is wrong with it
  ];
}
