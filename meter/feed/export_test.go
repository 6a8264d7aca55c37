package feed

import "rtfm/meter/ident"

// SetBits has identifiers have fewer bits than they have on the wire.
func (t *Tap) SetBits(n int) { t.namer = ident.NewNamer(n) }

// Names returns how many flows have identifiers.
func (t *Tap) Names() (n int) {
	for id, row := t.namer.Next(1); row != 0; id, row = t.namer.Next(id + 1) {
		n++
	}
	return n
}
