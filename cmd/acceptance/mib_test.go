package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"rtfm/traces/tracetest"
)

// TestInstalledMIBs has net-snmp know objects by name where it looks by itself, once the
// modules are installed there.
func TestInstalledMIBs(t *testing.T) {
	mibs, snmptranslate := tracetest.Require(t, "mibs"), tracetest.Require(t, "snmptranslate")
	home := t.TempDir()
	own := filepath.Join(home, ".snmp", "mibs")
	if out, err := exec.Command("rtfm", "mib", "install", own).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	c := exec.Command(snmptranslate, "-On", "FLOW-METER-MIB::flowDataTimeMark", "RTFM-EXTENSION-MIB::rtfmPacketsLost")
	c.Env = append(os.Environ(), "HOME="+home, "MIBDIRS=+"+mibs, "MIBS=FLOW-METER-MIB:RTFM-EXTENSION-MIB")
	out, err := c.CombinedOutput()
	if want := ".1.3.6.1.2.1.40.2.1.1.2\n\n.1.3.6.1.4.1.8072.9999.9999.2720.1.2.7\n"; err != nil || string(out) != want {
		t.Errorf("%v: %s, want %s", err, out, want)
	}
}
