package cmd

import (
	"bytes"
	"strings"

	"rtfm/reader/table"
)

// writeData writes the rows of a table for programs: each says of which ruleset and
// interval it is. CSV has its header once.
func (t *tables) writeData(tb *table.Table, ruleSet string) error {
	front := []table.Column{
		{Name: "RuleSetName"}, {Name: "IntervalStartNs", Kind: table.Time}, {Name: "IntervalEndNs", Kind: table.Time},
	}
	tb.Columns = append(front, tb.Columns...)
	for i, row := range tb.Rows {
		tb.Rows[i] = append([]table.Value{table.String(ruleSet), table.Int(t.c.From), table.Int(t.c.To)}, row...)
	}
	for i, c := range tb.Columns {
		if t.iso && c.Kind == table.Time {
			tb.Columns[i].Name = strings.TrimSuffix(c.Name, "Ns") + "ISO"
		}
	}
	data := table.Data{ISO: t.iso}
	if t.form == formJSON {
		return tb.JSON(t.w, data)
	}
	var text bytes.Buffer
	if err := tb.CSV(&text, data); err != nil {
		return err
	}
	if t.begun {
		text.ReadBytes('\n') // the header
	}
	_, err := text.WriteTo(t.w)
	return err
}
