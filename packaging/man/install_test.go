package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// TestInstall installs into a folder, and looks what is there. It builds nothing:
// a script stands for the program.
func TestInstall(t *testing.T) {
	make := tracetest.Require(t, "make")
	into, from := t.TempDir(), t.TempDir()
	if err := os.WriteFile(filepath.Join(from, "rtfm"), []byte("#!/bin/sh\necho $@\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	writePages(t, filepath.Join(from, "packaging/pages"))
	top, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(top)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == "rtfm" || e.Name() == "packaging" || e.Name() == ".git" {
			continue
		}
		if err := os.Symlink(filepath.Join(top, e.Name()), filepath.Join(from, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	install := exec.Command(make, "-o", "build", "-o", "man", "install", "PREFIX=/usr", "DESTDIR="+into)
	install.Dir = from
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var installed []string
	err = fs.WalkDir(os.DirFS(into), ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			installed = append(installed, p)
			if info, err := d.Info(); err == nil && info.Size() == 0 {
				t.Errorf("%s is empty", p)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"usr/bin/rtfm", "usr/lib/systemd/system/rtfm-meter.service",
		"usr/share/man/man1/rtfm-run.1", "usr/share/man/man5/rtfm-flows.5", "usr/share/man/man5/rtfm.yaml.5", "usr/share/man/man7/rtfm-srl.7",
		"usr/share/bash-completion/completions/rtfm", "usr/share/zsh/site-functions/_rtfm", "usr/share/fish/vendor_completions.d/rtfm.fish",
		"usr/share/doc/rtfm/examples/services.srl", "usr/share/man/man7/rtfm-distributions.7", "usr/share/man/man7/rtfm-cookbook.7",
	} {
		if !slices.Contains(installed, want) {
			t.Errorf("%s is not installed; there are\n%s", want, strings.Join(installed, "\n"))
		}
	}
	unit, err := os.ReadFile(filepath.Join(into, "usr/lib/systemd/system/rtfm-meter.service"))
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^ExecStart=/usr/bin/rtfm `).Match(unit) {
		t.Error("the unit starts another program than is installed")
	}
}
