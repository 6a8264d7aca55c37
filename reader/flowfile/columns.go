package flowfile

// Columns returns the columns of the collection that Next has returned last, nil if
// the file does not tell them before its flows.
func (c *Collections) Columns() []Column { return c.r.columns }
