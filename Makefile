# transcoded: one Makefile, no recursion but for other sanitizers' builds.
#
#   make [all]       the programs, runnable in build/
#   make deps        install what is needed (Debian), or name it
#   make demo        run the main job on a real file (INPUT=/path/film.mkv)
#   make check       all tests; `N passed, N failed` at the end
#   make check-package   those that a package's build can run: no sanitizers,
#                    nothing is installed, and what needs root is skipped
#   make soak        what takes longer
#   make bench       measure against the ffmpeg CLI (BENCH_ONLY=remux,many,
#                    BENCH_PAIRS=7, BENCH_JSON=file)
#   make fuzz        libFuzzer on each parser, FUZZ_TIME seconds each
#   make lint compat install uninstall clean vgpu
#
# Variables: CC, AR, PKG_CONFIG, CFLAGS, DESTDIR, PREFIX, WERROR=1,
# SANITIZE=address,undefined, V=1 (show commands).

PREFIX ?= /usr/local
DESTDIR ?=
SANITIZE ?=
WERROR ?=
V ?=
FUZZ_TIME ?= 120
BENCH_PAIRS ?= 7
BENCH_ONLY ?=
BENCH_JSON ?=
VERSION := 0.1.0

ifeq ($(origin CC),default)
CC := gcc
endif
PKG_CONFIG ?= pkg-config
comma := ,
# Another compiler or sanitizer builds in a folder of its own.
BUILD ?= build$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-5s %s\n' $(1) $(2))

CFLAGS ?= -O2 -g
STANDARD := -std=c17 -D_GNU_SOURCE -Iinclude -I$(BUILD)/generated \
	-DTRANSCODED_VERSION='"$(VERSION)"' -DTRANSCODED_PREFIX='"$(PREFIX)"' \
	-fno-common -fstack-protector-strong -pthread
# Cut text is meant where a fixed field holds it.
WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes -Wno-format-truncation -Wno-unknown-warning-option \
	$(if $(WERROR),-Werror)
SANITIZERS := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer)
# Taken back first: a distribution's compiler may have a level of its own.
FORTIFY := $(if $(SANITIZE),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)

# Floors and rooms (src/README.md): what each links, and which libraries it sees.
FLOORS := base model wire files media pipeline sandbox store
ROOMS := daemon worker ctl opener
LINKS_base :=
LINKS_model := base
LINKS_wire := model base
LINKS_files := wire model base
LINKS_media := model base
LINKS_pipeline := media model base
LINKS_sandbox := base
LINKS_store := model base
LINKS_daemon := store wire model base
LINKS_worker := pipeline media sandbox wire model base
LINKS_ctl := files wire model base
LINKS_opener := files wire model base
LIBAV := libavformat libavcodec libavfilter libswscale libswresample libavutil
PACKAGES_base :=
PACKAGES_model := jansson
PACKAGES_wire := jansson
PACKAGES_files := jansson
PACKAGES_media := $(LIBAV) jansson
PACKAGES_pipeline := $(LIBAV) jansson
PACKAGES_sandbox := libseccomp
PACKAGES_store := sqlite3 jansson
PACKAGES_daemon := libuv jansson sqlite3 libsystemd
PACKAGES_worker := $(LIBAV) jansson libseccomp
PACKAGES_ctl := jansson
PACKAGES_opener := jansson

PROGRAMS := transcoded transcoded-worker transcodectl transcoded-files
ROOM_transcoded := daemon
ROOM_transcoded-worker := worker
ROOM_transcodectl := ctl
ROOM_transcoded-files := opener

# Asked once a floor; the libraries only where something is linked.
$(foreach f,$(FLOORS) $(ROOMS),$(eval CFLAGS_$(f) := $(if $(PACKAGES_$(f)),$(shell $(PKG_CONFIG) --cflags $(PACKAGES_$(f)) 2>/dev/null))))
libs_for = $(shell $(PKG_CONFIG) --libs $(sort $(foreach f,$(1) $(LINKS_$(1)),$(PACKAGES_$(f)))) 2>/dev/null)

sources_of = $(filter-out %/main.c,$(wildcard src/$(1)/*.c))
objects_of = $(patsubst src/%.c,$(BUILD)/src/%.o,$(call sources_of,$(1)))
archive_of = $(if $(call sources_of,$(1)),$(BUILD)/lib/$(1).a)
archives_for = $(foreach f,$(1) $(LINKS_$(1)),$(call archive_of,$(f)))
first_folder = $(word 2,$(subst /, ,$(patsubst $(BUILD)/%,%,$(1))))

READY := $(foreach p,$(PROGRAMS),$(if $(wildcard src/$(ROOM_$(p))/main.c),$(p)))

.PHONY: all check check-package soak bench demo fuzz lint compat install uninstall clean \
	deps vgpu vgpu-tests exploit tests thread-tests objects
.DELETE_ON_ERROR:
.SECONDARY:
all: $(READY:%=$(BUILD)/%)

COMPILE = $(CC) $(STANDARD) $(CFLAGS) $(FORTIFY) $(WARNINGS) $(SANITIZERS) -MMD -MP

$(BUILD)/src/%.o: src/%.c | $(BUILD)/generated/wire/interface_text.h
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) $(CFLAGS_$(call first_folder,$@)) -c $< -o $@

# The interface descriptions are data in the programs that serve them; as bytes,
# for C promises no string literals of their length.
VARLINK := $(wildcard src/wire/*.varlink)
$(BUILD)/generated/wire/interface_text.h: $(VARLINK)
	@mkdir -p $(@D)
	$(Q){ i=0; for f in $^; do i=$$((i + 1)); \
	    echo "static const char text_$$i[] = {"; \
	    od -An -v -t d1 $$f | sed 's/\([0-9]\)\( \|$$\)/\1,\2/g'; echo '0};'; done; \
	  echo 'static const struct { const char *name, *text; } texts[] = {'; \
	  i=0; for f in $^; do i=$$((i + 1)); \
	    echo "{\"$$(basename $$f .varlink)\", text_$$i},"; done; \
	  echo '};'; } > $@

define floor_rules
$(BUILD)/lib/$(1).a: $(call objects_of,$(1))
	$$(call say,AR,$$@)
	@mkdir -p $$(@D)
	$$(Q)rm -f $$@ && $$(AR) rcs $$@ $$^
endef
$(foreach f,$(FLOORS) $(ROOMS),$(eval $(call floor_rules,$(f))))

define program_rules
$(BUILD)/$(1): $(BUILD)/src/$(ROOM_$(1))/main.o $(call archives_for,$(ROOM_$(1)))
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $$(CFLAGS) $$(SANITIZERS) -pthread -Wl,-z,relro,-z,now -o $$@ $$< \
	  -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group \
	  $$(call libs_for,$(ROOM_$(1))) -lm
endef
$(foreach p,$(PROGRAMS),$(eval $(call program_rules,$(p))))

# Tests: tests/F/test_M.c tests src/F/M.c, with what F may link.
UNIT_TESTS := $(foreach f,$(FLOORS) $(ROOMS),$(patsubst %.c,$(BUILD)/%,$(wildcard tests/$(f)/test_*.c)))
# An archive, so that each test links only what it asks for. Some of it knows
# the daemon's own headers.
CFLAGS_support := -Isrc/daemon
SUPPORT := $(if $(wildcard tests/support/*.c),$(BUILD)/lib/support.a)
$(BUILD)/lib/support.a: $(patsubst tests/%.c,$(BUILD)/tests/%.o,$(wildcard tests/support/*.c))
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/tests/%.o: tests/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -Itests -Isrc/$(call first_folder,$@) $(CFLAGS_$(call first_folder,$@)) -c $< -o $@

define test_rules
$(BUILD)/tests/$(1)/test_%: $(BUILD)/tests/$(1)/test_%.o $(SUPPORT) $(call archives_for,$(1))
	$$(call say,LINK,$$@)
	$$(Q)$$(CC) $$(CFLAGS) $$(SANITIZERS) -pthread -o $$@ $$(filter %.o,$$^) \
	  -Wl,--start-group $$(filter %.a,$$^) -Wl,--end-group \
	  $$(call libs_for,$(1)) -lcmocka -lm
endef
$(foreach f,$(FLOORS) $(ROOMS),$(eval $(call test_rules,$(f))))

# Whole programs are tested from here, too.
$(patsubst %,$(BUILD)/tests/ctl/test_%,attachment devices program report terminal): | $(BUILD)/transcodectl $(BUILD)/tests/fake/daemon

# These load the stand-in's libraries from beside them.
$(patsubst %,$(BUILD)/tests/worker/test_%,nvml watch): | vgpu
$(patsubst %,$(BUILD)/tests/media/test_%,driver hwdevice nvenc_caps survey survey_decoders survey_encoders survey_filters): | vgpu
$(patsubst %,$(BUILD)/tests/pipeline/test_%,blame pool): | vgpu

# Stand-ins that tests start: tests/fake/worker.c becomes build/tests/fake/worker.
FAKES := $(patsubst tests/%.c,$(BUILD)/tests/%,$(wildcard tests/fake/*.c))
$(BUILD)/tests/fake/%: $(BUILD)/tests/fake/%.o $(call archives_for,wire)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANITIZERS) -pthread -o $@ $< \
	  -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(call libs_for,wire) -lm

# Fuzz targets: with libFuzzer under clang (`make fuzz`), and with a program that
# replays the corpus in `make check`.
FUZZ_FLOOR := files wire model base
FUZZERS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
REPLAYS := $(FUZZERS:%=$(BUILD)/tests/fuzz/replay_%)
$(BUILD)/tests/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/tests/fuzz/replay.o $(foreach f,$(FUZZ_FLOOR),$(call archive_of,$(f)))
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANITIZERS) -pthread -o $@ $(filter %.o,$^) \
	  -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(call libs_for,wire) -lm

# Measures the programs against the ffmpeg CLI.
LINKS_bench := store files wire model base
PACKAGES_bench := jansson sqlite3
CFLAGS_bench := $(shell $(PKG_CONFIG) --cflags $(PACKAGES_bench) 2>/dev/null)
BENCH := $(BUILD)/tests/bench/bench
BENCH_ALONE := tests/bench/slow_sync.c tests/bench/pictures.c
BENCH_SHIMS := $(BUILD)/tests/bench/slow_sync.so
$(BENCH): $(patsubst tests/%.c,$(BUILD)/tests/%.o,$(filter-out $(BENCH_ALONE),$(wildcard tests/bench/*.c))) $(call archives_for,bench)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANITIZERS) -pthread -o $@ $(filter %.o,$^) \
	  -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(call libs_for,bench) -lm
# Our decoding and scaling without an encoder, for cards that have none.
PICTURES := $(BUILD)/tests/bench/pictures
$(BUILD)/tests/bench/pictures.o: CFLAGS_bench += $(CFLAGS_pipeline)
$(PICTURES): $(BUILD)/tests/bench/pictures.o $(call archives_for,pipeline)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANITIZERS) -pthread -o $@ $(filter %.o,$^) \
	  -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(call libs_for,pipeline) -lm
$(BENCH_SHIMS): $(BUILD)/tests/bench/%.so: tests/bench/%.c
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(STANDARD) $(CFLAGS) $(WARNINGS) -fPIC -shared -o $@ $<

# What is loaded into workers with LD_PRELOAD, to see what stops it.
EXPLOITS := $(patsubst %.c,$(BUILD)/%.so,$(wildcard tests/exploit/*.c))
$(EXPLOITS): $(BUILD)/tests/exploit/%.so: tests/exploit/%.c
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(STANDARD) $(CFLAGS) $(WARNINGS) $(CFLAGS_worker) -fPIC -shared \
	  -o $@ $< -ldl
exploit: $(EXPLOITS)

tests: $(UNIT_TESTS) $(FAKES) $(REPLAYS)
thread-tests: $(filter $(BUILD)/tests/pipeline/% $(BUILD)/tests/store/%,$(UNIT_TESTS))
objects: $(foreach f,$(FLOORS) $(ROOMS),$(patsubst src/%.c,$(BUILD)/src/%.o,$(wildcard src/$(f)/*.c)))

deps:
	$(Q)tests/deps check

check:
	$(Q)tests/deps check
	$(Q)MAKE='$(MAKE)' tests/check

check-package: all tests
	$(Q)tests/check-package '$(BUILD)'

# What takes longer than a check may: suites named soak_*.
soak: all
	$(Q)tests/deps check
	$(Q)$(MAKE) --no-print-directory SANITIZE=address,undefined all tests
	$(Q)tests/run --build build --timeout 3600 $(foreach s,$(wildcard tests/soak/soak_*.py),::: python3 $(s))

compat: all
	$(Q)tests/deps check
	$(Q)tests/run --build build --jobs 1 --timeout 1800 tests/compat

lint:
	$(Q)tests/deps check
	$(Q)tests/lint

# Each target for FUZZ_TIME seconds; what it finds is left in build-fuzz/found.
fuzz:
	$(Q)tests/deps check
	$(Q)$(MAKE) --no-print-directory CC=clang BUILD=build-fuzz CFLAGS='-O1 -g' \
	  SANITIZE=fuzzer-no-link,address,undefined $(FUZZERS:%=build-fuzz/tests/fuzz/fuzz_%)
	$(Q)mkdir -p build-fuzz/found $(FUZZERS:%=build-fuzz/corpus/%)
	$(Q)for f in $(FUZZERS); do echo "fuzzing $$f for $(FUZZ_TIME) s"; \
	  build-fuzz/tests/fuzz/fuzz_$$f -max_total_time=$(FUZZ_TIME) -max_len=70000 -timeout=10 \
	    -verbosity=0 -print_final_stats=1 -artifact_prefix=build-fuzz/found/$$f- \
	    build-fuzz/corpus/$$f tests/fuzz/corpus/$$f || exit 1; done

$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(foreach f,$(FUZZ_FLOOR),$(call archive_of,$(f)))
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -fsanitize=fuzzer,address,undefined -pthread -o $@ $< \
	  -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(call libs_for,wire) -lm

bench:
	$(Q)tests/deps
	$(Q)$(MAKE) --no-print-directory all vgpu $(BENCH) $(BENCH_SHIMS) $(PICTURES)
	$(Q)BENCH_PAIRS='$(BENCH_PAIRS)' BENCH_ONLY='$(BENCH_ONLY)' \
	  BENCH_JSON='$(BENCH_JSON)' $(BENCH)

demo:
	$(Q)tests/deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/demo $(if $(INPUT),'$(INPUT)')

# What is installed: MODE:SOURCE:PLACE, so that uninstall takes away what
# install put there. A program finds the others beside its own place.
INSTALLED := \
	$(foreach p,$(filter transcoded transcodectl,$(READY)),755:$(BUILD)/$(p):bin/$(p)) \
	$(foreach p,$(filter transcoded-%,$(READY)),755:$(BUILD)/$(p):libexec/transcoded/$(p)) \
	$(foreach m,$(wildcard src/*/*.1),644:$(m):share/man/man1/$(notdir $(m))) \
	$(foreach m,$(wildcard src/*/*.8),644:$(m):share/man/man8/$(notdir $(m))) \
	$(foreach c,$(wildcard src/*/*.bash),644:$(c):share/bash-completion/completions/$(notdir $(c:.bash=))) \
	$(foreach c,$(wildcard src/*/_*),644:$(c):share/zsh/site-functions/$(notdir $(c))) \
	$(foreach p,$(wildcard profiles/*.json profiles/devices/*),644:$(p):share/transcoded/$(p)) \
	755:systemd/device-nodes:libexec/transcoded/device-nodes \
	$(foreach d,sysusers.d tmpfiles.d,644:systemd/$(d)/transcoded.conf:lib/$(d)/transcoded.conf) \
	$(foreach d,$(wildcard systemd/*.service.d/*),644:$(d):share/transcoded/$(d))
# Units name the prefix, and a blank in it as systemd writes one.
UNITS := $(foreach u,$(wildcard systemd/*.service systemd/*.socket),644:$(u):lib/systemd/system/$(notdir $(u)))
blank := $(subst ,, )
fill_in = sed 's|@PREFIX@|$(subst $(blank),\\x20,$(PREFIX))|g'

install: all
	$(Q)for row in $(INSTALLED); do \
	  mode=$${row%%:*}; rest=$${row#*:}; \
	  install -D -m "$$mode" "$${rest%%:*}" '$(DESTDIR)$(PREFIX)'/"$${rest#*:}" || exit; \
	done
	$(Q)for row in $(UNITS); do \
	  mode=$${row%%:*}; rest=$${row#*:}; \
	  $(fill_in) "$${rest%%:*}" | install -D -m "$$mode" /dev/stdin '$(DESTDIR)$(PREFIX)'/"$${rest#*:}" || exit; \
	done

uninstall:
	$(Q)for row in $(INSTALLED) $(UNITS); do \
	  rm -f '$(DESTDIR)$(PREFIX)'/"$${row##*:}" || exit; \
	done
	$(Q)for folder in libexec/transcoded share/transcoded/profiles/devices \
	    share/transcoded/profiles \
	    $(patsubst %,share/transcoded/%,$(wildcard systemd/*.service.d)) \
	    share/transcoded/systemd share/transcoded; do \
	  rmdir '$(DESTDIR)$(PREFIX)'/"$$folder" 2>/dev/null || true; \
	done

# tests/vgpu: the stand-in for NVIDIA's driver, one library under four names.
# `LD_LIBRARY_PATH=build/vgpu ffmpeg -hwaccel cuda ...` runs on it.
VGPU := $(BUILD)/vgpu
VGPU_PACKAGES := ffnvcodec libavcodec libavutil x264 x265
VGPU_NAMES := libcuda.so.1 libnvcuvid.so.1 libnvidia-encode.so.1 libnvidia-ml.so.1
VGPU_SOURCES := $(filter-out tests/vgpu/vgpuctl.c,$(wildcard tests/vgpu/*.c))
VGPU_OBJECTS := $(VGPU_SOURCES:tests/vgpu/%.c=$(VGPU)/obj/%.o)
VGPU_TESTS := $(patsubst tests/vgpu/tests/%.c,$(BUILD)/tests/vgpu/%,$(wildcard tests/vgpu/tests/test_*.c))

$(VGPU)/obj/%.o: tests/vgpu/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(COMPILE) -fPIC -fvisibility=hidden -Itests/vgpu \
	  $(shell $(PKG_CONFIG) --cflags $(VGPU_PACKAGES)) -c $< -o $@

# Never unloaded: a client closes and opens the driver several times, and what
# was counted must stay.
$(VGPU)/libvgpu.so: $(VGPU_OBJECTS)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANITIZERS) -pthread -shared -Wl,-z,nodelete \
	  -Wl,-soname,libvgpu.so -o $@ $^ $(shell $(PKG_CONFIG) --libs $(VGPU_PACKAGES)) -lm

$(VGPU_NAMES:%=$(VGPU)/%): $(VGPU)/libvgpu.so
	$(Q)ln -sf libvgpu.so $@

$(VGPU)/vgpuctl: $(VGPU)/obj/vgpuctl.o $(VGPU)/obj/machine.o $(VGPU)/obj/settings.o $(VGPU)/obj/counter.o
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(SANITIZERS) -pthread -o $@ $^

$(BUILD)/tests/vgpu/test_%: $(VGPU)/obj/tests/test_%.o $(VGPU_OBJECTS)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(SANITIZERS) -pthread -o $@ $^ \
	  $(shell $(PKG_CONFIG) --libs $(VGPU_PACKAGES)) -lcmocka -lm

vgpu: $(VGPU_NAMES:%=$(VGPU)/%) $(VGPU)/vgpuctl
vgpu-tests: vgpu $(VGPU_TESTS)
objects: $(VGPU_OBJECTS)

clean:
	rm -rf build build-*

-include $(shell find $(BUILD)/src $(BUILD)/tests $(BUILD)/vgpu -type f -name '*.d' 2>/dev/null)
