package mib

import "embed"

// texts are the modules that say what our objects mean.
//
//go:embed FLOW-METER-MIB.txt RTFM-EXTENSION-MIB.txt
var texts embed.FS

// Text is a MIB module.
type Text struct {
	Name, About string
	Text        []byte
}

// Texts returns our modules.
func Texts() []Text {
	all := []Text{
		{Name: "FLOW-METER-MIB", About: "the Meter MIB of RFC 2720"},
		{Name: "RTFM-EXTENSION-MIB", About: "what operators need in addition"},
	}
	for i := range all {
		b, err := texts.ReadFile(all[i].Name + ".txt")
		if err != nil {
			panic(err) // it is embedded
		}
		all[i].Text = b
	}
	return all
}
