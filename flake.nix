{
  description = "A transcoding service for one machine with an NVIDIA card";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forEach = f: nixpkgs.lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});
    in
    {
      packages = forEach (pkgs: {
        default = pkgs.callPackage ./nix/package.nix { ffmpeg = pkgs.ffmpeg-headless; };
        ffmpeg-legacy = pkgs.callPackage ./nix/ffmpeg-legacy.nix { };
      });

      overlays.default = final: _: {
        transcoded = final.callPackage ./nix/package.nix { ffmpeg = final.ffmpeg-headless; };
      };

      nixosModules.default = ./nix/module.nix;

      # `nix flake check` builds the package, whose tests are part of that, and
      # boots a machine with it.
      checks = forEach (pkgs: {
        package = self.packages.${pkgs.stdenv.hostPlatform.system}.default;
        vm = pkgs.testers.runNixOSTest ./nix/vm-test.nix;
      });
    };
}
