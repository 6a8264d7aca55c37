package screen

import "rtfm/reader/table"

// getPackets has the packets of the first row that is shown be got, and goes on
// meanwhile.
func (m *Model) getPackets() {
	if m.GetPackets == nil || m.answer != nil || m.at == nil || len(m.keys) == 0 {
		return
	}
	s := m.section(m.at)
	if s == nil {
		return
	}
	row := s.Row(m.keys[0])
	if row == nil {
		return
	}
	m.note = "looking for the packets of the first row"
	answer := make(chan string, 1)
	m.answer = answer
	go func() { answer <- m.GetPackets(row) }()
}

// answered takes what became of that.
func (m *Model) answered(text string) { m.note, m.answer = table.Visible(text), nil }
