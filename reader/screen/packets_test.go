package screen

import (
	"testing"
)

// TestPackets asks for packets of the row that is shown first.
func TestPackets(t *testing.T) {
	m := model(interval(3, 0))
	m.Lines(80, 24)
	m.Key("p") // there is no store
	if m.answer != nil {
		t.Error("packets are got from nowhere")
	}
	asked := make(chan string, 2)
	m.GetPackets = func(row []byte) string {
		asked <- string(row)
		return "flow.pcapng: 5 packets; \x1b[0mcomplete"
	}
	shows(t, m, "p packets of the first row")
	m.Key("Down")
	m.Lines(80, 24)
	m.Key("p")
	m.Key("p") // they are being got
	shows(t, m, "looking for the packets")
	m.answered(<-m.answer)
	if row := <-asked; row != `{"SourcePeerAddress":"host1","DestPeerAddress":"b"}`+"\n" || len(asked) > 0 {
		t.Errorf("packets of %s", row)
	}
	shows(t, m, `flow.pcapng: 5 packets; \x1b[0mcomplete`)
	m.Key("?")
	shows(t, m, "p      write the packets of the first row")
}
