# "Pattern 1": what programs on NVIDIA cards share, so that several services can
# use one card: seven device nodes, two groups, five variables. Patterns 2
# (containers) and 3 (libraries only) are made of the same parts. tests/nix holds
# this file to the table that the shipped units are held to.
{
  devices = [
    "/dev/nvidia0"
    "/dev/nvidiactl"
    "/dev/nvidia-modeset"
    "/dev/nvidia-uvm"
    "/dev/nvidia-uvm-tools"
    "/dev/dri/card0"
    "/dev/dri/renderD128"
  ];

  # Additions for transcoded: these need only the loaded driver, not the node,
  # when the service starts.
  deviceClasses = [
    "char-nvidia-frontend"
    "char-nvidia-uvm"
  ];

  groups = [
    "video"
    "render"
  ];

  environment = {
    NVIDIA_VISIBLE_DEVICES = "all";
    NVIDIA_DRIVER_CAPABILITIES = "compute,video,utility";
    LD_LIBRARY_PATH = "/run/opengl-driver/lib:/run/opengl-driver-32/lib";
    CUDA_VISIBLE_DEVICES = "0";
    TORCH_CUDA_ARCH_LIST = "6.1";
  };

  # Additions for single services: a folder for what they keep.
  caches.immich-machine-learning = {
    folder = "/var/cache/immich-machine-learning";
    variables = [
      "MPLCONFIGDIR"
      "TRANSFORMERS_CACHE"
    ];
  };

  libraries = [
    "/run/opengl-driver"
    "/run/opengl-driver-32"
  ];
}
