package integration_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// TestDinoAndTheDemo logs Dino in to the demo, whose certificate it does not accept before the command that the demo prints was run.
func TestDinoAndTheDemo(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"dino-im", "Xvfb", "dbus-run-session", "unshare", "ip", "update-ca-certificates", "python3"} {
		peers.Need(t, program)
	}
	namespaces := []string{"--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"}
	if os.Geteuid() != 0 {
		namespaces = append(namespaces, "--map-root-user")
	}
	if out, err := exec.CommandContext(t.Context(), "unshare", append(namespaces, "true")...).CombinedOutput(); err != nil {
		peers.Missing(t, fmt.Sprintf("this machine lets nobody make namespaces: %v: %s", err, out))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "unshare", append(namespaces, "testdata/dino.sh", peers.Binary(t), t.TempDir())...)
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Dino has logged in") {
		t.Errorf("%v\n%s", err, out)
	}
}
