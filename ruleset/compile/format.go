package compile

import (
	"rtfm/ruleset/attr"
	"rtfm/ruleset/srl"
)

// Format lays a program out as srl.Reformat does, with attributes spelled as their
// names are. It reads files that the program includes as Source does.
func Format(file string, text []byte, opts srl.Options) ([]byte, error) {
	if opts.Open == nil {
		opts.Open = Open
	}
	return srl.Reformat(file, text, spelling, opts)
}

// spelling returns the name of an attribute in its own case, and other names as they are.
func spelling(name string) string {
	if a, ok := attr.ByName(name); ok {
		return a.String()
	}
	return name
}
