package query

import (
	"bytes"
	"cmp"
	"maps"
	"math"
	"slices"

	"rtfm/reader/table"
)

// Diff compares what two Tops with the same Options and keys have added up: what has
// grown between one time and another, or one meter and another.
type Diff struct {
	Before, After *Top
}

// NewDiff returns a Diff of two Tops without collections. Options.By must have keys.
func NewDiff(opts Options) *Diff { return &Diff{NewTop(opts), NewTop(opts)} }

// change is what a key has counted in both.
type change struct {
	key           []byte
	row           *group // of either
	before, after uint64
}

// size returns how much it has changed.
func (c *change) size() uint64 { return max(c.before, c.after) - min(c.before, c.after) }

// value returns the difference as a table has it.
func (c *change) value() table.Value {
	switch n := c.size(); {
	case n > math.MaxInt64: // which is no sum that anybody can have measured
		return table.Float(float64(c.after) - float64(c.before))
	case c.after < c.before:
		return table.Int(-int64(n))
	default:
		return table.Int(int64(n))
	}
}

// cells appends what stands in a table.
func (c *change) cells(row []table.Value) []table.Value {
	percent := table.Float(100 * (float64(c.after) - float64(c.before)) / float64(c.before)) // nothing if there was nothing
	return append(row, table.Uint(c.before), table.Uint(c.after), c.value(), percent)
}

// Tables returns a table for each ruleset: the largest change comes first.
func (d *Diff) Tables() []*table.Table {
	numbers := slices.Concat(slices.Collect(maps.Keys(d.Before.sections)), slices.Collect(maps.Keys(d.After.sections)))
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	if len(numbers) == 0 {
		numbers = []int{0}
	}
	var tables []*table.Table
	for _, n := range numbers {
		tb := d.table(d.Before.sectionOf(n), d.After.sectionOf(n))
		if len(numbers) > 1 {
			of(tb, n, d.After.opts.Full)
		}
		tables = append(tables, tb)
	}
	return tables
}

// sectionOf returns the section of a ruleset, an empty one if it has no flows.
func (t *Top) sectionOf(ruleSet int) *section {
	if s := t.sections[ruleSet]; s != nil {
		return s
	}
	return &section{groups: new(groups)}
}

// table compares two sections.
func (d *Diff) table(before, after *section) *table.Table {
	opts := &d.After.opts
	by := opts.Sort
	name := sumNames[by][0]
	if isHosts(opts.By) {
		name = sumNames[by][1]
	}
	tb := new(table.Table)
	for i := range opts.By {
		tb.Columns = append(tb.Columns, opts.By[i].tableColumn())
	}
	tb.Columns = append(tb.Columns,
		table.Column{Name: "Before" + name, Kind: by.kind()}, table.Column{Name: "After" + name, Kind: by.kind()},
		table.Column{Name: "Difference", Kind: by.kind()}, table.Column{Name: "Percent", Title: "%", Kind: table.Percent})
	changes := changesOf(before, after, by)
	var others change
	for i := range changes {
		c := &changes[i]
		if opts.Rows > 0 && i >= opts.Rows {
			others.before += c.before
			others.after += c.after
			tb.NumOthers++
			continue
		}
		tb.Rows = append(tb.Rows, c.cells(d.After.keyCells(c.key, &c.row.groupSums)))
	}
	keys := func() []table.Value { return make([]table.Value, len(opts.By)) }
	all := change{before: by.of(before.total(opts.By)), after: by.of(after.total(opts.By))}
	tb.Others, tb.Total = others.cells(keys()), all.cells(keys())
	return tb
}

// changesOf returns what each key has counted, the largest change first, of equal ones
// that with the lower key.
func changesOf(before, after *section, by Sum) []change {
	var changes []change
	before.groups.settleAll()
	for row := range after.groups.all {
		c := change{key: after.groups.key(row), row: row, after: by.of(&row.sums)}
		if was := before.groups.find(c.key); was != nil {
			c.before = by.of(&was.sums)
		}
		changes = append(changes, c)
	}
	for row := range before.groups.all {
		key := before.groups.key(row)
		if now := after.groups.find(key); now == nil || now.records == 0 {
			changes = append(changes, change{key: key, row: row, before: by.of(&row.sums)})
		}
	}
	slices.SortFunc(changes, func(a, b change) int {
		return cmp.Or(cmp.Compare(b.size(), a.size()), bytes.Compare(a.key, b.key))
	})
	return changes
}

// Notes returns lines below the tables: what was read.
func (d *Diff) Notes() []string {
	var notes []string
	for i, t := range [...]*Top{d.Before, d.After} {
		for k, note := range t.Notes() {
			if k == 0 {
				note = [...]string{"before: ", "after: "}[i] + note
			}
			notes = append(notes, note)
		}
	}
	if b, a := d.Before.Summary().Length, d.After.Summary().Length; b != a {
		notes = append(notes, "the times are not of the same length: sums of the longer one are greater by that alone")
	}
	return notes
}
