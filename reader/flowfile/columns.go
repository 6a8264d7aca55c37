package flowfile

// Columns returns the columns of the collection that Next has returned, of text; nil
// if its rows tell by themselves what they have, as those of other forms do.
func (c *Collections) Columns() []Column {
	if text, ok := c.form.(*textCollections); ok {
		return text.plan.columns
	}
	return nil
}
