package live

import (
	"bytes"
	"io"

	"github.com/klauspost/compress/flate"
)

// packed is JSON in blocks of deflate (RFC 1951) of which none is the final one and
// none refers to what stands before, so that those of several texts can follow each
// other.
type packed []byte

// pack packs a text.
func pack(text []byte) packed {
	var to bytes.Buffer
	if err := flate.StatelessDeflate(&to, text, false, nil); err != nil {
		panic(err) // a Buffer takes all
	}
	return bytes.Clone(to.Bytes())
}

// pack returns the Interval with its JSON, packed, for all that the JSON has.
func (i *Interval) pack() *Interval {
	to := &Interval{Collection: i.Collection, Loss: i.Loss, packed: pack(i.appendJSON(nil))}
	to.RuleSets = nil
	to.octets = len(to.packed) + 256
	return to
}

// appendText appends the text.
func (p packed) appendText(b []byte) []byte {
	to := bytes.NewBuffer(b)
	end := []byte{1, 0, 0, 0xff, 0xff} // a final block with nothing in it
	r := flate.NewReader(io.MultiReader(bytes.NewReader(p), bytes.NewReader(end)))
	if _, err := to.ReadFrom(r); err != nil {
		panic(err) // it was packed here
	}
	return to.Bytes()
}
