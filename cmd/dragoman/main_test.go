package main

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this test binary run as the command dragoman in the scripts, so that they run under the
// race detector too.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"dragoman": main})
}

// TestScripts runs commands and checks what they print.
func TestScripts(t *testing.T) {
	reference, err := filepath.Abs("../../config/REFERENCE.md")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:      "testdata/script",
		Deadline: time.Now().Add(10 * scriptPatience), // of all scripts: a process of a race build starts slowly where many run
		Setup: func(e *testscript.Env) error {
			e.Setenv("REFERENCE", reference)
			// Scripts run at the same time, and the usual ports are there once.
			e.Setenv("DRAGOMAN_LISTEN_HTTP", "")
			e.Setenv("DRAGOMAN_LISTEN_HTTP_TLS", "")
			// Where scripts have their temporary files, to see that none is left.
			return os.MkdirAll(filepath.Join(e.WorkDir, ".tmp"), 0o755)
		},
		Condition: func(name string) (bool, error) {
			return name == "root" && os.Geteuid() == 0, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"address":     chooseAddress,
			"taken":       takeAddress,
			"foreign":     foreignServer,
			"reachable":   waitReachable,
			"shows":       waitShown,
			"terminate":   terminate,
			"hangup":      hangUp,
			"serves":      waitServes,
			"newer":       newerSchema,
			"certificate": makeCertificate,
			"columns":     atMostColumns,
			"calm":        staysCalm,
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// trace matches the output of a panic or of a data race.
var trace = regexp.MustCompile(`(?m)^(panic:|fatal error:|goroutine \d+ \[|WARNING: DATA RACE)|\.go:\d+`)

// staysCalm checks that the output of the last command contains no stack trace: calm stdout stderr.
func staysCalm(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: calm stdout|stderr|FILE...")
	}
	for _, name := range args {
		if found := trace.FindString(ts.ReadFile(name)); found != "" {
			ts.Fatalf("%s has a stack trace: %s", name, found)
		}
	}
}
