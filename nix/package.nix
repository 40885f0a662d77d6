# transcoded as a package: `pkgs.callPackage ./nix/package.nix { }`.
{
  lib,
  stdenv,
  addDriverRunpath,
  ffmpeg,
  jansson,
  libseccomp,
  libuv,
  pkg-config,
  sqlite,
  systemd,
  # for its tests
  cmocka,
  mandoc,
  python3,
  testers,
  zsh,
}:
let
  # The Makefile's is the only place that says it.
  version = lib.removePrefix "VERSION := " (
    lib.findFirst (lib.hasPrefix "VERSION := ") (throw "the Makefile says no VERSION") (
      lib.splitString "\n" (builtins.readFile ../Makefile)
    )
  );
in
stdenv.mkDerivation {
  pname = "transcoded";
  inherit version;

  src = lib.fileset.toSource {
    root = ../.;
    fileset = lib.fileset.unions [
      ../LICENSE
      ../Makefile
      ../README.md
      ../include
      ../profiles
      ../src
      ../systemd
      ../tests
    ];
  };

  postPatch = ''
    patchShebangs tests
  '';

  strictDeps = true;
  enableParallelBuilding = true;

  nativeBuildInputs = [
    addDriverRunpath
    pkg-config
  ];
  buildInputs = [
    ffmpeg
    jansson
    libseccomp
    libuv
    sqlite
    systemd
  ];
  makeFlags = [ "PREFIX=$(out)" ];

  doCheck = true;
  checkTarget = "check-package";
  nativeCheckInputs = [
    (lib.getBin ffmpeg)
    mandoc
    python3
    zsh
  ];
  checkInputs = [ cmocka ];

  # Workers ask the driver's libnvidia-ml.so.1 by name.
  postFixup = ''
    addDriverRunpath $out/libexec/transcoded/transcoded-worker
  '';

  passthru.tests.vm = testers.runNixOSTest ./vm-test.nix;

  meta = {
    description = "Transcoding service for one machine with an NVIDIA card";
    license = lib.licenses.gpl2Plus;
    platforms = lib.platforms.linux;
    maintainers = [ ];
    mainProgram = "transcodectl";
  };
}
