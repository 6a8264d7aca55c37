package tracetest

import (
	"os/exec"
	"sync"
	"testing"
)

// TestAddress takes many addresses at once, while programs are started: they
// differ, and can be listened at.
func TestAddress(t *testing.T) {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					exec.Command("true").Run() // where there is such a program
				}
			}
		})
	}
	seen := map[string]bool{}
	for i := range 1000 {
		network := []string{"udp", "tcp"}[i%2]
		address := Address(t, network)
		if seen[address] {
			t.Fatalf("%s twice", address)
		}
		seen[address] = true
		if !isFree(network, address) {
			t.Errorf("%s is not free", address)
		}
	}
}
