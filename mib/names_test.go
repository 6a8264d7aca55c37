package mib

import (
	"testing"

	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
	"rtfm/ruleset/attr"
)

// names are the OIDs of the objects that the texts of our MIBs define.
var names = smitest.Names("FLOW-METER-MIB.txt", "RTFM-EXTENSION-MIB.txt")

func oid(s string) smi.OID { return names.OID(s) }

// TestNames holds the Handler's objects to the MIBs' texts. The columns of RFC 2724
// have attributes' names there, but are no objects of a MIB.
func TestNames(t *testing.T) {
	byOID := make(map[string]string)
	for name, o := range names {
		byOID[o.String()] = name
	}
	for _, o := range New(newFakeMeter()).objects {
		distribution := o.oid.HasPrefix(names["flowDataEntry"]) && o.oid[len(o.oid)-1] >= uint32(attr.Distributions)
		if byOID[o.oid.String()] == "" && !distribution {
			t.Errorf("%v has no name", o.oid)
		}
	}
}
