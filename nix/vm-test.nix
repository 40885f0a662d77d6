# A NixOS machine without a card, on which a client's job and a detached one are
# done: `nix build .#checks.x86_64-linux.vm`, or the package's passthru.tests.vm.
{
  name = "transcoded";

  nodes.machine =
    { pkgs, ... }:
    {
      imports = [ ./module.nix ];

      services.transcoded = {
        enable = true;
        devices = [ ];
        clients = [ "alice" ];
        roots.read = [ "/srv/media" ];
        roots.write = [ "/srv/media/out" ];
        settings.limits.cpu_jobs = 1;
        profiles.small = {
          outputs = [ { video.max_height = 120; } ];
        };
      };

      users.groups.media.members = [ "transcoded" ];
      users.users.alice = {
        isNormalUser = true;
        extraGroups = [ "media" ];
      };
      users.users.mallory.isNormalUser = true;
      systemd.tmpfiles.rules = [
        "d /srv/media 0755 root root -"
        "d /srv/media/out 0770 root media -"
      ];
      environment.systemPackages = [ pkgs.ffmpeg-headless ];
    };

  testScript = ''
    import json

    machine.wait_for_unit("transcoded.service")
    machine.succeed(
        "ffmpeg -v error -f lavfi -i testsrc2=size=640x360:rate=25 -t 2 /srv/media/film.mp4"
    )


    def job(source, target):
        return json.dumps({
            "profile": "small",
            "input": {"path": source},
            "outputs": [{"path": target}],
        })


    with subtest("a detached job below the roots"):
        machine.succeed(f"echo '{job('/srv/media/film.mp4', '/srv/media/out/film.mp4')}' > /tmp/job")
        machine.succeed("su - alice -c 'transcodectl submit -f /tmp/job'")
        height = machine.succeed(
            "ffprobe -v error -show_entries stream=height -of csv=p=0 /srv/media/out/film.mp4"
        )
        assert height.split()[0] == "120", height
        mode = machine.succeed("stat -c '%a %G' /srv/media/out/film.mp4").strip()
        assert mode == "664 media", mode

    with subtest("a job outside the roots is refused"):
        machine.succeed(f"echo '{job('/etc/shadow', '/srv/media/out/shadow.mp4')}' > /tmp/bad")
        machine.fail("su - alice -c 'transcodectl submit /tmp/bad'")

    with subtest("who is no client cannot connect"):
        machine.fail("su - mallory -c 'transcodectl status'")

    with subtest("jobs outlive a crash of the service"):
        machine.succeed("systemctl kill -s KILL transcoded.service")
        machine.wait_for_unit("transcoded.service")
        assert "succeeded" in machine.succeed("su - alice -c 'transcodectl list'")

    with subtest("nothing is exposed that need not be"):
        machine.succeed("systemd-analyze security --threshold=20 transcoded.service")
  '';
}
