package screen

import (
	"fmt"
	"slices"
	"strings"
)

// choosers are the keys that choose columns.
const choosers = "123456789abdefghijklmnoprstuvwxyz" // c and q leave the list

// columnNames returns the columns that can be hidden.
func (m *Model) columnNames() []string {
	if m.at == nil {
		return nil
	}
	s := m.section(m.at)
	if s == nil {
		return nil
	}
	names := s.Columns()
	return names[:min(len(names), len(choosers))]
}

// columnKey takes a key while columns are chosen.
func (m *Model) columnKey(key string) {
	names := m.columnNames()
	at := strings.Index(choosers, key)
	switch {
	case key == "c" || key == "q" || key == "Enter" || key == "Escape":
		m.columns = false
	case key == "0":
		m.Look.Hidden = nil
	case len(key) != 1 || at < 0 || at >= len(names):
	case slices.Contains(m.Look.Hidden, names[at]):
		m.Look.Hidden = slices.DeleteFunc(slices.Clone(m.Look.Hidden), func(name string) bool { return name == names[at] })
	default:
		m.Look.Hidden = append(slices.Clone(m.Look.Hidden), names[at])
	}
}

// columnLines are the list of columns.
func (m *Model) columnLines() []string {
	lines := []string{"Columns: a key shows or hides one, 0 shows all, Enter leaves the list.", ""}
	for i, name := range m.columnNames() {
		mark := "x"
		if slices.Contains(m.Look.Hidden, name) {
			mark = " "
		}
		lines = append(lines, fmt.Sprintf("%c  [%s] %s", choosers[i], mark, name))
	}
	return lines
}
