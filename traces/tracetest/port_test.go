package tracetest

import "testing"

// TestAddress takes many addresses at once: they differ, and can be listened at.
func TestAddress(t *testing.T) {
	seen := map[string]bool{}
	for i := range 400 {
		network := []string{"udp", "tcp"}[i%2]
		address := Address(t, network)
		if seen[address] {
			t.Fatalf("%s twice", address)
		}
		seen[address] = true
		c, err := listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
}
