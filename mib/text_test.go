package mib

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rtfm/ruleset/attr"

	"rtfm/mib/module"
	"rtfm/mib/smi"
	"rtfm/traces/tracetest"
)

// modules puts our modules where libsmi finds them under their names, and
// returns that folder and the path of modules to search.
func modules(t *testing.T) (dir, path string) {
	t.Helper()
	mibs := tracetest.Require(t, "mibs")
	dir = t.TempDir()
	for _, name := range []string{"FLOW-METER-MIB", "RTFM-EXTENSION-MIB"} {
		text, err := os.ReadFile(name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir, dir + ":" + mibs
}

// smiTool runs a program of libsmi and returns what it prints, sorted by line,
// without comments and without the places in files.
func smiTool(t *testing.T, path, tool string, args ...string) []string {
	t.Helper()
	cmd := exec.Command(tracetest.Require(t, tool), append([]string{"-c", os.DevNull}, args...)...)
	cmd.Env = append(os.Environ(), "SMIPATH="+path)
	out, _ := cmd.CombinedOutput() // the exit status tells of warnings too
	place := regexp.MustCompile(`^\S+/([A-Z0-9-]+):\d+: `)
	var lines []string
	for s := bufio.NewScanner(strings.NewReader(string(out))); s.Scan(); {
		line := strings.TrimSpace(s.Text())
		if line != "" && !strings.HasPrefix(line, "--") && !strings.HasPrefix(line, "#") {
			lines = append(lines, place.ReplaceAllString(line, "$1: "))
		}
	}
	slices.Sort(lines)
	return lines
}

// TestModuleIsRFC2720 compares our text with the RFC's: names, numbers, syntax,
// access and status, and what smilint finds in it.
func TestModuleIsRFC2720(t *testing.T) {
	dir, path := modules(t)
	theirs := filepath.Join(tracetest.Require(t, "mibs"), "rfc2720")
	theirPath := theirs + ":" + tracetest.Require(t, "mibs")
	for _, tool := range [][]string{
		{"smidump", "-k", "-f", "identifiers"}, {"smidump", "-k", "-f", "mosy"}, {"smidump", "-k", "-f", "compliances"}, {"smilint", "-l", "6"},
	} {
		run := func(dir, path string) []string {
			return smiTool(t, path, tool[0], append(tool[1:], filepath.Join(dir, "FLOW-METER-MIB"))...)
		}
		ours, want := run(dir, path), run(theirs, theirPath)
		if len(want) < 5 {
			t.Fatalf("%v finds little in the RFC's module: %v", tool, want)
		}
		for _, line := range ours {
			if !slices.Contains(want, line) {
				t.Errorf("%v: only in ours: %s", tool, line)
			}
		}
		for _, line := range want {
			if !slices.Contains(ours, line) {
				t.Errorf("%v: only in RFC 2720: %s", tool, line)
			}
		}
	}
}

// TestRevisions compares the dates of our text's revisions with the RFC's.
func TestRevisions(t *testing.T) {
	revisions := func(path string) []string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return regexp.MustCompile(`\b(?:REVISION|LAST-UPDATED) +"\w+"`).FindAllString(string(text), -1)
	}
	theirs := revisions(filepath.Join(tracetest.Require(t, "mibs"), "rfc2720", "FLOW-METER-MIB"))
	ours := revisions("FLOW-METER-MIB.txt")
	if len(theirs) != 7 || !slices.Equal(ours, theirs) {
		t.Errorf("revisions %q, want those of RFC 2720: %q", ours, theirs)
	}
}

// TestExtensionLint has smilint look at the extension.
func TestExtensionLint(t *testing.T) {
	dir, path := modules(t)
	for _, line := range smiTool(t, path, "smilint", "-l", "6", filepath.Join(dir, "RTFM-EXTENSION-MIB")) {
		if !strings.HasPrefix(line, "FLOW-METER-MIB: ") {
			t.Error(line)
		}
	}
}

// TestModulesWithoutRMON reads our modules beside the RMON2-MIB that SNMP.md shows,
// and of the others only those that it names.
func TestModulesWithoutRMON(t *testing.T) {
	mibs, snmptranslate := tracetest.Require(t, "mibs"), tracetest.Require(t, "snmptranslate")
	text, err := os.ReadFile("SNMP.md")
	if err != nil {
		t.Fatal(err)
	}
	short := regexp.MustCompile("(?s)\nRMON2-MIB DEFINITIONS.*?\nEND\n").Find(text)
	dir, _ := modules(t)
	if err := os.WriteFile(filepath.Join(dir, "RMON2-MIB"), short, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"SNMPv2-SMI", "SNMPv2-TC", "SNMPv2-CONF", "SNMPv2-MIB", "SNMP-FRAMEWORK-MIB", "IF-MIB", "IANAifType-MIB"} {
		if err := os.Symlink(filepath.Join(mibs, name), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, module := range []string{"RMON2-MIB", "FLOW-METER-MIB", "RTFM-EXTENSION-MIB"} {
		for _, line := range smiTool(t, dir, "smilint", "-l", "2", filepath.Join(dir, module)) {
			t.Errorf("smilint: %s", line)
		}
	}
	cmd := exec.Command(snmptranslate, "-On", "FLOW-METER-MIB::flowDataTimeMark", "RTFM-EXTENSION-MIB::rtfmBlockTime")
	cmd.Env = append(os.Environ(), "MIBDIRS="+dir, "MIBS=FLOW-METER-MIB:RTFM-EXTENSION-MIB", "SNMPCONFPATH="+dir)
	out, err := cmd.CombinedOutput()
	if want := ".1.3.6.1.2.1.40.2.1.1.2\n\n.1.3.6.1.4.1.8072.9999.9999.2720.1.6.1.3\n"; err != nil || string(out) != want {
		t.Errorf("snmptranslate: %v\n%s\nwant\n%s", err, out, want)
	}
}

// TestObjectsAreInTheModules compares what a Handler has with what the modules
// say that there is to be read and written. RFC 2724 adds attributes and thereby
// columns of flowDataTable, but no module.
func TestObjectsAreInTheModules(t *testing.T) {
	dir, path := modules(t)
	oids := map[string]smi.OID{"mib-2": oid("1.3.6.1.2.1"), "enterprises": oid("1.3.6.1.4.1")}
	access := map[string]string{} // by OID
	for _, module := range []string{"FLOW-METER-MIB", "RTFM-EXTENSION-MIB"} {
		lines := smiTool(t, path, "smidump", "-k", "-f", "mosy", filepath.Join(dir, module))
		for range 10 { // a name may come before the one it is below
			for _, line := range lines {
				f := strings.Fields(line)
				if len(f) < 2 || strings.HasPrefix(line, "%") {
					continue
				}
				parent, last, ok := strings.Cut(f[1], ".")
				if !ok || oids[parent] == nil {
					continue
				}
				oids[f[0]] = below(oids[parent], oid(last)...)
				if len(f) == 5 && f[3] != "not-accessible" {
					access[oids[f[0]].String()] = f[3]
				}
			}
		}
	}
	for a := attr.Distributions; a <= attr.FromLostPDUs; a++ {
		access[below(module.FlowMIB, 2, 1, 1, uint32(a)).String()] = "read-only"
	}
	h := New(newFakeMeter())
	for i := range h.objects {
		o := &h.objects[i]
		a := access[o.oid.String()]
		if a == "" {
			t.Errorf("%v is in no module, or not accessible", o.oid)
		}
		if writable := a == "read-write" || a == "read-create"; writable != (o.plan != nil) {
			t.Errorf("%v: writable %v, but the module says %s", o.oid, o.plan != nil, a)
		}
		delete(access, o.oid.String())
	}
	for name, a := range access {
		t.Error(name, a, "is not answered")
	}
	for i, name := range []string{"flowMIBCompliance", "rtfmCompliance"} {
		if got := Capabilities()[i].ID; got.Compare(oids[name]) != 0 {
			t.Errorf("%s is %v, have %v", name, oids[name], got)
		}
	}
	for kind, name := range map[NotificationKind]string{
		MeterStarted: "rtfmMeterStarted", Standby: "rtfmStandby", Flood: "rtfmFlood",
		ReaderTimedOut: "rtfmReaderTimedOut", PacketsLost: "rtfmPacketsWereLost",
		StandbyOver: "rtfmStandbyOver", FloodOver: "rtfmFloodOver", TableFull: "rtfmTableFull",
	} {
		if got, _ := (&Notification{Kind: kind}).Bindings(); fmt.Sprint(got) != fmt.Sprint(oids[name]) {
			t.Errorf("%s is %v, have %v", name, oids[name], got)
		}
	}
}
