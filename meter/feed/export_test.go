package feed

import "rtfm/meter/ident"

// SetBits has identifiers have fewer bits than they have on the wire.
func (t *Tap) SetBits(n int) { t.namer = ident.NewNamer(n) }
