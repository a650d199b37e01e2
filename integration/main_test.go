package integration_test

import (
	"os"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
)

func TestMain(m *testing.M) {
	code := m.Run()
	peers.Cleanup()
	os.Exit(code)
}
