package mib

import (
	"strings"
	"testing"

	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
	"rtfm/ruleset/attr"
)

// names are the OIDs of the objects that the texts of our MIBs define.
var names = smitest.Names("FLOW-METER-MIB.txt", "RTFM-EXTENSION-MIB.txt")

// oid returns an OID in numbers, or that of an object with the index that follows
// its name, as in flowRuleInfoSize.2.
func oid(s string) smi.OID {
	name, index, dotted := strings.Cut(s, ".")
	o, ok := names[name]
	switch {
	case !ok:
		return smitest.OID(s) // which panics if it is a name
	case !dotted:
		return o
	}
	return below(o, smitest.OID(index)...)
}

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
