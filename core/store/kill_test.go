package store

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/dragoman-im/dragoman/core/store/storetest"
)

const killedEnv = "DRAGOMAN_TEST_STORE_KILLED"

// writeUntilKilled writes numbers to the store at url and prints each that is acknowledged to be on
// the disk, until it is killed.
func writeUntilKilled(url string) {
	s, err := Open(context.Background(), Options{URL: url})
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	for i := 0; ; i++ {
		s.WriteAsync(func(tx *sql.Tx) error {
			_, err := tx.Exec(`INSERT INTO scratch (n) VALUES (?)`, i)
			return err
		}, func(err error) {
			if err == nil {
				fmt.Println(i)
			}
		})
		if i%50 == 0 { // let the queue run empty now and then
			if err := s.Write(context.Background(), func(*sql.Tx) error { return nil }); err != nil {
				os.Exit(1)
			}
		}
	}
}

// What was acknowledged before a kill -9 is there afterwards.
func TestKilled(t *testing.T) {
	t.Parallel()
	url := storetest.URL(t)
	first, err := Open(t.Context(), Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	scratch(t, first)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), killedEnv+"="+url)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	acknowledged := map[int]bool{}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		n, err := strconv.Atoi(lines.Text())
		if err != nil {
			t.Fatalf("process: %s", lines.Text())
		}
		acknowledged[n] = true
		if len(acknowledged) == 500 {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // killed
	if len(acknowledged) < 500 {
		t.Fatalf("only %d writes were acknowledged", len(acknowledged))
	}
	s := open(t, Options{URL: url})
	got := numbers(t, s)
	for n := range acknowledged {
		if !got[n] {
			t.Errorf("write %d was promised and is lost", n)
		}
	}
	if s.dialect == Postgres {
		return
	}
	var check string
	if err := s.Reader().QueryRow(`PRAGMA integrity_check`).Scan(&check); err != nil || check != "ok" {
		t.Errorf("%s %v", check, err)
	}
}
