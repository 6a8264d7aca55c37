// Package builtin holds the SRL programs that come with rtfm, for the questions
// that most people ask. Their names begin with "@", which no file's has that is
// given with its folder.
package builtin

import (
	"embed"
	"fmt"
	"path"
	"strings"

	"rtfm/ruleset/spell"
)

// A Program is one of them.
type Program struct {
	Name  string // with its "@"
	Title string // what it tells, in a line
	Text  string // SRL
}

// Default is the name of the one that answers those who ask nothing.
const Default = "@conversations"

// names are in the order in which people are shown them.
var names = []string{
	"conversations", "flows", "hosts", "talkers", "networks", "services", "ports", "protocols", "families",
	"dscp", "vlans", "macs", "icmp", "sizes", "dns", "pings", "handshakes",
}

//go:embed programs/*.srl
var files embed.FS

// Programs returns all of them.
func Programs() []Program {
	all := make([]Program, 0, len(names))
	for _, name := range names {
		text, err := files.ReadFile(path.Join("programs", name+".srl"))
		if err != nil {
			panic(err) // a test goes through them
		}
		title, _, _ := strings.Cut(string(text), "\n")
		all = append(all, Program{"@" + name, strings.TrimPrefix(title, "# "), string(text)})
	}
	return all
}

// Is reports whether this is the name of a program that comes with rtfm, or is
// meant to be, and of no file.
func Is(name string) bool { return strings.HasPrefix(name, "@") }

// Find returns the program of this name, with or without its "@".
func Find(name string) (Program, error) {
	var known []string
	for _, p := range Programs() {
		if p.Name == "@"+strings.TrimPrefix(name, "@") {
			return p, nil
		}
		known = append(known, p.Name)
	}
	if near, ok := spell.Nearest("@"+strings.TrimPrefix(name, "@"), known); ok {
		return Program{}, fmt.Errorf(`there is no built-in program %s; did you mean %s? "rtfm srl list" has all`, name, near)
	}
	return Program{}, fmt.Errorf("there is no built-in program %s; there are %s", name, strings.Join(known, ", "))
}
