package smitest

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rtfm/mib/smi"
)

// definition is an object, or a place of objects, in the text of a MIB.
var definition = regexp.MustCompile(
	`(?m)^([a-z][\w-]*)\s+(?:OBJECT IDENTIFIER|OBJECT-TYPE|OBJECT-IDENTITY|MODULE-IDENTITY)\b[\s\S]*?::= \{ ([\w-]+) (\d+) \}`)

// NameTable has the OIDs of objects by their names.
type NameTable map[string]smi.OID

// OID returns an OID in numbers, or that of an object with the index that follows
// its name, as in flowRuleInfoSize.2. It panics if there is no such name.
func (t NameTable) OID(s string) smi.OID {
	name, index, dotted := strings.Cut(s, ".")
	o, ok := t[name]
	switch {
	case !ok:
		return OID(s)
	case !dotted:
		return o
	}
	return slices.Concat(o, OID(index))
}

// Names returns the OIDs of the objects that the texts of MIBs in these files
// define, and panics if one cannot be read.
func Names(files ...string) NameTable {
	names := NameTable{"mib-2": {1, 3, 6, 1, 2, 1}, "enterprises": {1, 3, 6, 1, 4, 1}}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		for again := true; again; { // the module stands before its parents
			again = false
			for _, d := range definition.FindAllStringSubmatch(string(text), -1) {
				n, _ := strconv.ParseUint(d[3], 10, 32)
				if parent := names[d[2]]; parent != nil && names[d[1]] == nil {
					names[d[1]], again = append(slices.Clone(parent), uint32(n)), true
				}
			}
		}
	}
	return names
}
