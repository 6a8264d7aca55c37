package cmd

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rtfm/meter/packet"
	"rtfm/traces"
)

// linkTypes is the value of an option that tells which link types are to be taken
// for which others.
type linkTypes map[traces.LinkType]traces.LinkType

// String implements pflag.Value.
func (l *linkTypes) String() string {
	var all []string
	for _, from := range slices.Sorted(maps.Keys(*l)) {
		all = append(all, fmt.Sprintf("%v=%v", from, (*l)[from]))
	}
	return strings.Join(all, ",")
}

// Type implements pflag.Value.
func (*linkTypes) Type() string { return "types" }

// Set implements pflag.Value.
func (l *linkTypes) Set(s string) error {
	before, after, ok := strings.Cut(s, "=")
	if !ok {
		return fmt.Errorf("want TYPE=TYPE, such as USER0=RAW")
	}
	from, err := traces.ParseLinkType(before)
	if err != nil {
		return err
	}
	to, err := traces.ParseLinkType(after)
	if err != nil {
		return err
	}
	if !packet.Supported(to) {
		return fmt.Errorf("packets of link type %v are not decoded", to)
	}
	if *l == nil {
		*l = make(linkTypes)
	}
	if was, told := (*l)[from]; told && was != to {
		return fmt.Errorf("link type %v is %v already", from, was)
	}
	(*l)[from] = to
	return nil
}
