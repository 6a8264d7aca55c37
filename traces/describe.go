package traces

import "fmt"

// Description is what a trace says about itself besides its packets.
type Description struct {
	Format      string `json:"format,omitempty"`      // "pcap", "erf", ...
	Detail      string `json:"detail,omitempty"`      // what else there is to say of the format: "big-endian"
	Guessed     bool   `json:"guessed,omitempty"`     // the format was recognised by the look of the records only
	Compression string `json:"compression,omitempty"` // "gzip", ...; empty for none
	// Comments are what the trace says it is, as far as it does: the first 64 texts.
	Comments []string `json:"comments,omitempty"`
	// Interfaces are those that the trace has described so far, the first
	// 4,096 of them, in order of number.
	Interfaces []Interface `json:"-"`
}

// Guess returns a note if the format of the trace of this name was guessed,
// else an empty string.
func (d Description) Guess(name string) string {
	if !d.Guessed {
		return ""
	}
	return fmt.Sprintf("%s: taken for %s by the look of its records; the name %s:%s makes sure", name, d.Format, d.Format, name)
}

// Interface is what a trace says about an interface.
type Interface struct {
	Number uint32   `json:"interface"`      // Packet.Interface
	Name   string   `json:"name,omitempty"` // empty if the trace does not tell
	Link   LinkType `json:"link"`
	Snap   uint32   `json:"snap,omitempty"` // the most octets that are captured of a packet; 0 is all
	Unit   string   `json:"unit,omitempty"` // of its time stamps: "1 µs", "2^-20 s"
}

// Describer is a Source that can describe its trace, as those of Open can.
type Describer interface {
	Source
	// Describe returns the description of the trace as far as it has been read.
	Describe() Description
}
