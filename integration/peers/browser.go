package peers

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// browserScript is where the script that drives Chromium is, and its modules, from the directory of the tests.
const browserScript = "peers/browser"

// chromium is the browser of Debian's package.
const chromium = "/usr/bin/chromium"

// Browser is Chromium without a screen, with one page.
type Browser struct {
	*script
}

// BrowserWindow is how large the page is.
type BrowserWindow struct{ Width, Height int }

// Windows of a desk and of a telephone.
var (
	Desktop = BrowserWindow{1280, 800}
	Phone   = BrowserWindow{390, 844}
)

// StartBrowser starts Chromium at an address.
func StartBrowser(ctx context.Context, t testing.TB, address string, w BrowserWindow) *Browser {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		Missing(t, "node is not installed")
	}
	if _, err := os.Stat(chromium); err != nil {
		Missing(t, "chromium is not installed")
	}
	if _, err := os.Stat(filepath.Join(browserScript, "node_modules")); err != nil {
		Missing(t, "playwright-core is not installed: npm ci --prefix integration/"+browserScript)
	}
	cmd := exec.Command("node", "client.mjs")
	cmd.Dir, cmd.Env = browserScript, append(os.Environ(), "HOME="+t.TempDir())
	b := &Browser{startScript(t, "browser", cmd)}
	limit := time.Minute
	if end, ok := ctx.Deadline(); ok {
		limit = time.Until(end)
	}
	if err := b.Do(ctx, "open", map[string]any{"url": address, "width": w.Width, "height": w.Height, "limit": limit.Milliseconds()}, nil); err != nil {
		t.Fatal(err)
	}
	return b
}
