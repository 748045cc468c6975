# SPDX-License-Identifier: LGPL-2.1-or-later
# Rules for Windows modules and their Unix halves, for each of PE_ARCHS and UNIX_ARCHS. GNU make
# reads this file after the lists of Makefile.am. Objects go to obj/ARCH, modules and programs to
# ARCH-windows, Unix halves to ARCH-unix: the layout that WINEDLLPATH expects.

pe_cppflags = -I$(top_srcdir)/include -D_WIN32_WINNT=0x0A00 -DSECURITY_WIN32 \
    -DWIN32_LEAN_AND_MEAN
# Our functions begin with a line of the processor's cache, so that the size of those before them
# does not change their speed.
pe_cflags = $(WARN_CFLAGS) -std=gnu11 -O2 -g -falign-functions=64
pe_ldflags = -static-libgcc -Wl,--no-insert-timestamp
# What the library heap puts in the C library's place.
pe_wrap = -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free,--wrap=_gcry_fast_random_poll
pe_objects = $(patsubst %.c,obj/$(1)/%.o,$($(2)_sources))
pe_libraries = $(patsubst %,obj/$(1)/lib%.a,$($(2)_uses) $(if $(filter core,$($(2)_uses)),gcrypt gpg-error))
pe_link_libs = $(if $(filter core,$($(1)_uses)),$(PE_CORE_LIBS)) $($(1)_libs)
pe_all_dlls = $(PE_DLLS) $(PE_TEST_DLLS)
pe_all_programs = $(PE_EXES) $(PE_TESTS)
pe_comma = ,
pe_builtins = $(foreach m,$(PE_DLLS),$(if $($(m)_unix),$(m)))
unix_cflags = -I$(top_srcdir)/include $(WARN_CFLAGS) -std=gnu11 -fPIC -fvisibility=hidden
unix_i386_flags = -m32
unix_objects = $(patsubst %.c,obj/$(1)-unix/$(2)/%.o,$($(2)_unix))

obj/%.o: pe_extra =

# pe_arch(ARCH): what does not depend on the module.
define pe_arch
obj/$(1)/dlls/core/%.o: pe_extra = $$(CORE_CFLAGS)
obj/$(1)/tests/%.o: pe_cppflags += -I$$(top_srcdir)/tests/include
obj/$(1)/%.o: $$(top_srcdir)/%.c
	@$$(MKDIR_P) $$(@D)
	$$(AM_V_CC)$$($(1)_CC) $$(pe_cppflags) $$(pe_cflags) $$(pe_extra) -MMD -MP -c -o $$@ $$<
obj/$(1)/%.def:
	@$$(MKDIR_P) $$(@D)
	$$(AM_V_GEN)$$(WINEBUILD) --def -b $$($(1)_TRIPLET) -E $$< -F $$*.dll -o $$@
obj/$(1)/%.res.o: $$(top_srcdir)/pe.rc
	@$$(MKDIR_P) $$(@D)
	$$(AM_V_GEN)$$($(1)_WINDRES) -DMODULE=$$* -DVERSION_TEXT=$$(VERSION) \
	    -DVERSION_NUMBERS=$$(subst .,$$(pe_comma),$$(VERSION)) -o $$@ $$<
# Debian's archives carry several megabytes of debugging data into every module.
obj/$(1)/libgcrypt.a obj/$(1)/libgpg-error.a: obj/$(1)/%.a:
	@$$(MKDIR_P) $$(@D)
	$$(AM_V_GEN)$$($(1)_STRIP) --strip-debug -o $$@ "$$$$($$($(1)_CC) -print-file-name=$$*.a)"
endef

# pe_lib(ARCH, NAME)
define pe_lib
pe-modules: obj/$(1)/lib$(2).a
obj/$(1)/lib$(2).a: $(call pe_objects,$(1),$(2))
	$$(AM_V_AR)rm -f $$@ && $$($(1)_AR) crsD $$@ $$^
endef

# pe_dll(ARCH, NAME): the .def keeps the size of each stdcall function's arguments, so that the
# linker compares .spec and code; --kill-at then exports the bare names. A module without sources
# holds forwarders only and has no entry point.
define pe_dll
$(if $(filter $(2),$(PE_TEST_DLLS)),pe-tests,pe-modules): $(1)-windows/$(2).dll
obj/$(1)/$(2).def: $(top_srcdir)/$($(2)_spec)
$(1)-windows/$(2).dll: $(call pe_objects,$(1),$(2)) obj/$(1)/$(2).res.o obj/$(1)/$(2).def \
    $(call pe_libraries,$(1),$(2))
	@$$(MKDIR_P) $$(@D)
	$$(AM_V_CCLD)$$($(1)_CC) -shared $$(pe_ldflags) $(if $(filter heap,$($(2)_uses)),$$(pe_wrap)) \
	    -Wl,--kill-at -o $$@ \
	    $(if $($(2)_sources),,-nostdlib -Wl,--entry=0) \
	    $$^ $(call pe_link_libs,$(2))
	$(if $(filter $(2),$(pe_builtins)),$$(AM_V_at)$$(WINEBUILD) --builtin $$@)
endef

# pe_plain(ARCH, NAME): the same module without the library heap, which keeps blocks for itself: for
# tests that count and refuse what modules ask of the system.
define pe_plain
pe-tests: $(1)-windows/plain/$(2).dll
$(1)-windows/plain/$(2).dll: $(call pe_objects,$(1),$(2)) obj/$(1)/$(2).res.o obj/$(1)/$(2).def \
    $(call pe_libraries,$(1),$(2))
	@$$(MKDIR_P) $$(@D)
	$$(AM_V_CCLD)$$($(1)_CC) -shared $$(pe_ldflags) -Wl,--kill-at -o $$@ $$^ $(call pe_link_libs,$(2))
	$(if $(filter $(2),$(pe_builtins)),$$(AM_V_at)$$(WINEBUILD) --builtin $$@)
endef

# pe_program(ARCH, NAME)
define pe_program
$(if $(filter $(2),$(PE_TESTS)),pe-tests,pe-modules): $(1)-windows/$(2).exe
$(1)-windows/$(2).exe: $(call pe_objects,$(1),$(2)) obj/$(1)/$(2).res.o $(call pe_libraries,$(1),$(2))
	@$$(MKDIR_P) $$(@D)
	$$(AM_V_CCLD)$$($(1)_CC) $$(pe_ldflags) -o $$@ $$^ $(call pe_link_libs,$(2))
endef

# pe_unix(ARCH, NAME): the Unix half, which Wine finds by the name of the module. Its objects are
# the module's own, since other modules compile the same file with other flags.
define pe_unix
pe-modules: $(1)-unix/$(2).so
obj/$(1)-unix/$(2)/%.o: $$(top_srcdir)/%.c
	@$$(MKDIR_P) $$(@D)
	$$(AM_V_CC)$$(CC) $(unix_$(1)_flags) $$(unix_cflags) $($(2)_unix_cflags) $$(CPPFLAGS) \
	    $$(CFLAGS) -MMD -MP -c -o $$@ $$<
$(1)-unix/$(2).so: $(call unix_objects,$(1),$(2))
	@$$(MKDIR_P) $$(@D)
	$$(AM_V_CCLD)$$(CC) $(unix_$(1)_flags) -shared -Wl,-z,defs $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ \
	    $($(2)_unix_libs)
endef

$(foreach a,$(PE_ARCHS),$(eval $(call pe_arch,$(a))))
$(foreach a,$(PE_ARCHS),$(foreach m,$(PE_LIBS),$(eval $(call pe_lib,$(a),$(m)))))
$(foreach a,$(PE_ARCHS),$(foreach m,$(pe_all_dlls),$(eval $(call pe_dll,$(a),$(m)))))
$(foreach a,$(PE_ARCHS),$(foreach m,$(PE_PLAIN_DLLS),$(eval $(call pe_plain,$(a),$(m)))))
$(foreach a,$(PE_ARCHS),$(foreach m,$(pe_all_programs),$(eval $(call pe_program,$(a),$(m)))))
$(foreach a,$(UNIX_ARCHS),$(foreach m,$(pe_builtins),$(eval $(call pe_unix,$(a),$(m)))))

pe_names = $(PE_LIBS) $(pe_all_dlls) $(pe_all_programs)
pe_dependencies = $(foreach a,$(PE_ARCHS),$(foreach m,$(pe_names),$(patsubst %.o,%.d,$(call pe_objects,$(a),$(m)))))
unix_dependencies = $(foreach a,$(UNIX_ARCHS),$(foreach m,$(pe_builtins),$(patsubst %.o,%.d,$(call unix_objects,$(a),$(m)))))
-include $(sort $(pe_dependencies) $(unix_dependencies))

pe: pe-modules pe-tests

pe-clean:
	rm -rf obj $(bundle_name).zip $(foreach a,$(PE_ARCHS),$(a)-windows) $(foreach a,$(UNIX_ARCHS),$(a)-unix)

# pe_install(ARCH): recipe lines.
define pe_install
	$(MKDIR_P) "$(DESTDIR)$(pkgarchdir)/$(1)-windows"
	for file in $(addsuffix .dll,$(PE_DLLS)) $(addsuffix .exe,$(PE_EXES)); do \
	    $(INSTALL_PROGRAM) $(1)-windows/$$file "$(DESTDIR)$(pkgarchdir)/$(1)-windows/" && \
	    $($(1)_STRIP) "$(DESTDIR)$(pkgarchdir)/$(1)-windows/$$file" || exit 1; \
	done
	$(foreach m,$(pe_builtins),\
	    $(WINEBUILD) --builtin "$(DESTDIR)$(pkgarchdir)/$(1)-windows/$(m).dll" &&) :

endef

pe-install: pe-modules
	$(foreach a,$(PE_ARCHS),$(call pe_install,$(a)))
	$(foreach a,$(UNIX_ARCHS),$(MKDIR_P) "$(DESTDIR)$(pkgarchdir)/$(a)-unix" &&) :
	$(foreach a,$(UNIX_ARCHS),$(foreach m,$(pe_builtins),\
	    $(INSTALL_PROGRAM) $(a)-unix/$(m).so "$(DESTDIR)$(pkgarchdir)/$(a)-unix/" &&)) :

pe-uninstall:
	rm -rf "$(DESTDIR)$(pkgarchdir)"

include $(top_srcdir)/tests/conformance/bundle.mk
