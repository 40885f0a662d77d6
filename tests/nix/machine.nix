# A machine of NixOS' options and `modules`: its whole configuration. That of
# nixpkgs, which decides on licences, is the machine's own.
modules:
let
  lib = import ./lib.nix;
  names = import ./pkgs.nix { inherit lib; };
  evaluate =
    pkgs:
    (lib.evalModules {
      modules = [ ./nixos.nix ] ++ modules;
      specialArgs = { inherit pkgs; };
    }).config;
in
evaluate (names // { inherit ((evaluate names).nixpkgs) config; })
