# SPDX-License-Identifier: LGPL-2.1-or-later
# Test programs for running on Windows, see README.txt. Lines end as there.
bundle_name = $(PACKAGE)-$(VERSION)-windows-tests
bundle_folder = .
bundle = $(bundle_folder)/$(bundle_name)
bundle_programs = conformance_record export_context \
    $(filter-out api_core_%,$(filter api_%,$(PE_TESTS)))

windows-bundle: pe-tests
	@command -v zip >/dev/null || { echo 'zip is missing (Debian package zip)' >&2; exit 1; }
	rm -rf $(bundle) $(bundle).zip
	$(MKDIR_P) $(bundle)
	awk -f $(top_srcdir)/tests/conformance/sources.awk $(top_srcdir)/tests/api/*.c \
	    $(top_srcdir)/tests/export/context.c \
	    >$(bundle)/statements.txt
	for file in tests/conformance/run.cmd tests/conformance/README.txt COPYING; do \
	    $(SED) 's/$$/\r/' $(top_srcdir)/$$file \
	        >$(bundle)/`basename $$file | $(SED) 's/^COPYING$$/&.txt/'` || exit 1; \
	done
	$(foreach a,$(PE_ARCHS),$(call bundle_arch,$(a)))
	cd $(bundle_folder) && zip -q -r -X $(bundle_name).zip $(bundle_name)
	rm -rf $(bundle)

# bundle_arch(ARCH): recipe lines.
define bundle_arch
	$(MKDIR_P) $(bundle)/$(if $(filter i386,$(1)),x86,x64)
	for program in $(bundle_programs); do \
	    $($(1)_STRIP) -o $(bundle)/$(if $(filter i386,$(1)),x86,x64)/$$program.exe \
	        $(1)-windows/$$program.exe || exit 1; \
	done

endef

.PHONY: windows-bundle
