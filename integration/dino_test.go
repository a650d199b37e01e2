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

// namespaces returns the command that runs another one in namespaces of its own. It skips the test where programs are missing.
func namespaces(ctx context.Context, t *testing.T, command ...string) *exec.Cmd {
	t.Helper()
	for _, program := range []string{"dino-im", "Xvfb", "xdotool", "dbus-run-session", "unshare", "ip", "update-ca-certificates", "python3"} {
		peers.Need(t, program)
	}
	args := []string{"--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"}
	if os.Geteuid() != 0 {
		args = append(args, "--map-root-user")
	}
	if out, err := exec.CommandContext(t.Context(), "unshare", append(args, "true")...).CombinedOutput(); err != nil {
		peers.Missing(t, fmt.Sprintf("this machine lets nobody make namespaces: %v: %s", err, out))
	}
	cmd := exec.CommandContext(ctx, "unshare", append(args, command...)...)
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// TestDinoAndTheDemo logs Dino in to the demo, whose certificate it does not accept before the command that the demo prints was run.
func TestDinoAndTheDemo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	out, err := namespaces(ctx, t, "testdata/dino.sh", peers.Binary(t), t.TempDir()).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Dino has logged in") {
		t.Errorf("%v\n%s", err, out)
	}
}
