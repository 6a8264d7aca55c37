package agentx

import (
	"sync"

	"rtfm/mib/smi"
)

// maxQueued is how many notifications wait for the master at most.
const maxQueued = 64

// notifyQueue holds notifications that the master has not been sent yet, the
// oldest first.
type notifyQueue struct {
	wake chan struct{} // of capacity 1: something was pushed

	mu   sync.Mutex
	q    [][]smi.VarBind
	lost uint64
}

func (n *notifyQueue) push(vbs []smi.VarBind) {
	n.mu.Lock()
	if len(n.q) == maxQueued {
		copy(n.q, n.q[1:])
		n.q = n.q[:maxQueued-1]
		n.lost++
	}
	n.q = append(n.q, vbs)
	n.mu.Unlock()
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// pop returns the oldest notification, nil if there is none.
func (n *notifyQueue) pop() []smi.VarBind {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.q) == 0 {
		return nil
	}
	vbs := n.q[0]
	n.q[0] = nil
	n.q = n.q[1:]
	return vbs
}

func (n *notifyQueue) lose() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lost++
}

func (n *notifyQueue) lostCount() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.lost
}
