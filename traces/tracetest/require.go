package tracetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Require returns where to find something that a test needs and that not every
// machine has. If it is not there, the test is skipped, or fails when the
// environment variable RTFM_REQUIRE, a list of names separated by blanks, has
// its name.
//
//	"traces"  the folder that RTFM_TRACES names, which holds traces/ and truth/
//	"mibs"    the folder that RTFM_MIBS names, of the modules that MIBs import
//	"netns"   network namespaces, see Network
//	"tun"     tunnel interfaces, see NewTun
//	"root"    the rights of root
//	"pandas"  a python3 that has pandas
//	"initdb"  of PostgreSQL, beside its other programs
//	others    see where Missing is called
//	a tool    the path of that program
//
// The folders are to be given by absolute paths, since each package's tests run
// in a working directory of their own.
func Require(t testing.TB, what string) string {
	t.Helper()
	path, err := find(what)
	if err == nil {
		return path
	}
	Missing(t, what, err)
	return ""
}

// Missing skips the test that needs what is not there, or fails it, as Require
// does.
func Missing(t testing.TB, what string, err error) {
	t.Helper()
	if slices.Contains(strings.Fields(os.Getenv("RTFM_REQUIRE")), what) {
		t.Fatalf("RTFM_REQUIRE names %s: %v", what, err)
	}
	t.Skip(err)
}

// Long reports whether tests that take long are to do so, with more intervals
// and kills than show that something works: when RTFM_LONG is set, as "make long"
// does.
func Long() bool { return os.Getenv("RTFM_LONG") != "" }

// find returns the path of what, as Require describes it.
func find(what string) (string, error) {
	switch what {
	case "traces":
		return folder("RTFM_TRACES", "traces", "truth")
	case "mibs":
		return folder("RTFM_MIBS")
	case "pandas":
		return pandas()
	case "initdb":
		return initdb()
	}
	path, err := exec.LookPath(what)
	if err == nil {
		return path, nil
	}
	// Daemons such as snmpd are not on every user's search path.
	if daemon, err := exec.LookPath(filepath.Join("/usr/sbin", what)); err == nil {
		return daemon, nil
	}
	return "", err
}

// folder returns the absolute path that the environment variable holds, once
// sure that it is a folder with the named folders in it.
func folder(variable string, holds ...string) (string, error) {
	dir := os.Getenv(variable)
	if dir == "" {
		return "", fmt.Errorf("%s is not set", variable)
	}
	if !filepath.IsAbs(dir) {
		return "", fmt.Errorf("%s=%s is not an absolute path", variable, dir)
	}
	for _, name := range append(holds, ".") {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if err != nil {
			return "", fmt.Errorf("%s: %w", variable, err)
		}
		if !info.IsDir() {
			return "", fmt.Errorf("%s: %s is not a folder", variable, path)
		}
	}
	return dir, nil
}

// pandas returns the path of a python3 that has pandas: the system's, or the first.
func pandas() (string, error) {
	var err error
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		if err = exec.Command(python, "-c", "import pandas").Run(); err == nil {
			return exec.LookPath(python)
		}
	}
	return "", fmt.Errorf("pandas of python3: %w", err)
}

// initdb returns the path of the newest initdb where Debian has it, which is on nobody's
// search path, or else of the first that is.
func initdb() (string, error) {
	all, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(all) == 0 {
		return exec.LookPath("initdb")
	}
	return all[len(all)-1], nil
}
