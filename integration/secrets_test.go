package integration_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// leaks are patterns of what must not be in a tracked file. They are written so that they
// do not match themselves.
var leaks = map[string]*regexp.Regexp{
	"token of Slack":             regexp.MustCompile(`xox[abceprs]-[0-9]{10,}-[0-9A-Za-z-]{20,}|xapp-1-A[0-9A-Z]{8,}-[0-9]{10,}-[0-9a-f]{32,}`),
	"hook of Slack":              regexp.MustCompile(`hooks\.slack\.com/services/T[0-9A-Z]{8,}/B[0-9A-Z]{8,}/[0-9A-Za-z]{20,}`),
	"token of Discord":           regexp.MustCompile(`\b[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,40}\b`),
	"token of GitHub":            regexp.MustCompile(`\bgh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,}`),
	"key of a cloud":             regexp.MustCompile(`\bAKIA[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{35}\b`),
	"private key":                regexp.MustCompile(`-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}`),
	"path of somebody's machine": regexp.MustCompile(`(?:^|[\s"'(=])(?:/home/[a-z]|/Users/[A-Za-z]|/wor[k]/|/root/)`),
	"web token":                  regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{20,}\.eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}`),
}

// published holds files of others, kept as they came: their examples have made-up tokens.
const published = "integration/testdata/"

func TestNoSecretsInTrackedFiles(t *testing.T) {
	t.Parallel()
	root := moduleRoot(t)
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "-z")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		peers.Missing(t, fmt.Sprintf("no git checkout here: %v", err))
	}
	files := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	if len(files) < 10 {
		t.Fatalf("only %d tracked files", len(files))
	}
	for _, file := range files {
		if strings.HasPrefix(file, published) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, file))
		if os.IsNotExist(err) {
			continue // removed and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		for what, pattern := range leaks {
			if at := pattern.FindIndex(text); at != nil {
				t.Errorf("%s:%d: %s", file, 1+strings.Count(string(text[:at[0]]), "\n"), what)
			}
		}
	}
}

// TestLeaksAreFound shows that the patterns match what they are for.
func TestLeaksAreFound(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a1", 40)
	for what, sample := range map[string]string{
		"token of Slack":             "xoxb" + "-1234567890123-1234567890123-" + long[:24],
		"hook of Slack":              "https://hooks.slack.com/" + "services/T00000000/B00000000/" + long[:24],
		"token of Discord":           "M" + long[:25] + "." + long[:6] + "." + long[:38],
		"token of GitHub":            "ghp" + "_" + long[:36],
		"key of a cloud":             "AKIA" + strings.Repeat("A1", 8),
		"private key":                "-----BEGIN " + "PRIVATE KEY-----\n" + long,
		"path of somebody's machine": `"/home` + `/somebody/x"`,
		"web token":                  "eyJ" + long[:30] + ".eyJ" + long[:30] + "." + long[:30],
	} {
		if !leaks[what].MatchString(sample) {
			t.Errorf("%s is not found", what)
		}
	}
}

// moduleRoot is the directory that holds go.mod.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
}
