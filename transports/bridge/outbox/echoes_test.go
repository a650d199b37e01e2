package outbox

import (
	"strconv"
	"testing"
)

// Only the latest messages are remembered.
func TestEchoesAreBounded(t *testing.T) {
	t.Parallel()
	var e echoes
	q := &Queue{}
	for i := range maxEchoes + 10 {
		e.add(strconv.Itoa(i), q)
		e.add(strconv.Itoa(i), q) // another attempt takes no further room
	}
	if len(e.by) != maxEchoes {
		t.Errorf("%d are remembered", len(e.by))
	}
	if e.find("9") != nil || e.find("10") == nil || e.find(strconv.Itoa(maxEchoes+9)) == nil {
		t.Error("not the latest ones")
	}
}
