package client

import (
	"testing"

	"rtfm/mib/smi/smitest"
)

// TestObjects holds the objects that a Client asks for to the MIBs' texts.
func TestObjects(t *testing.T) {
	names := smitest.Names("../FLOW-METER-MIB.txt", "../RTFM-EXTENSION-MIB.txt")
	for _, o := range objects {
		if o == sysUpTime {
			continue // of SNMPv2-MIB
		}
		if want, ok := names[o.name]; !ok || o.oid.Compare(want) != 0 {
			t.Errorf("%s is %v in the client, %v in the MIB's text", o.name, o.oid, want)
		}
	}
}
