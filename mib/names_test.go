package mib

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
	"rtfm/ruleset/attr"
)

// definition is an object, or a place of objects, in the text of a MIB.
var definition = regexp.MustCompile(
	`(?m)^([a-z][\w-]*)\s+(?:OBJECT IDENTIFIER|OBJECT-TYPE|OBJECT-IDENTITY|MODULE-IDENTITY)\b[\s\S]*?::= \{ ([\w-]+) (\d+) \}`)

// names are the OIDs of the objects that the texts of our MIBs define.
var names = func() map[string]smi.OID {
	m := map[string]smi.OID{"mib-2": {1, 3, 6, 1, 2, 1}, "enterprises": {1, 3, 6, 1, 4, 1}}
	for _, file := range []string{"FLOW-METER-MIB.txt", "RTFM-EXTENSION-MIB.txt"} {
		text, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		for again := true; again; { // the module stands before its parents
			again = false
			for _, d := range definition.FindAllStringSubmatch(string(text), -1) {
				n, _ := strconv.ParseUint(d[3], 10, 32)
				if parent := m[d[2]]; parent != nil && m[d[1]] == nil {
					m[d[1]], again = below(parent, uint32(n)), true
				}
			}
		}
	}
	return m
}()

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
