package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// BenchmarkArchiveCPU archives messages among 100 accounts, each for its sender and its receiver, and reports
// the CPU time of a message: of this process, and of PostgreSQL's where it runs on this machine.
func BenchmarkArchiveCPU(b *testing.B) {
	s := open(b, Options{})
	accounts := make([]jid.JID, 100)
	for i := range accounts {
		accounts[i] = jid.MustParse(fmt.Sprintf("user%d@example.org", i))
	}
	account(b, s, accounts...)
	free := make(chan struct{}, 1000)
	own, server := ownCPU(b), postgresCPU(b, s)
	b.ResetTimer()
	for i := range b.N {
		from, to := accounts[i%len(accounts)], accounts[(i*7+1)%len(accounts)]
		st := stanza.NewMessage(to, from, stanza.TypeChat, stanza.TextElement("", "body", strings.Repeat("x", 64)))
		id := stanza.NewID()
		for _, who := range []jid.JID{from, to} {
			free <- struct{}{}
			s.Archive(who, archive.Entry{ID: id, At: time.Now(), Stanza: st}, func(err error) {
				if err != nil {
					b.Error(err)
				}
				<-free
			})
		}
	}
	for range cap(free) {
		free <- struct{}{}
	}
	b.StopTimer()
	perMessage := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(b.N) }
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(perMessage(ownCPU(b)-own), "own-µs/message")
	if s.dialect == Postgres {
		b.ReportMetric(perMessage(postgresCPU(b, s)-server), "server-µs/message")
	}
}

func ownCPU(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// postgresCPU is the CPU time of all processes of a PostgreSQL server on this machine.
func postgresCPU(b *testing.B, s *Store) time.Duration {
	b.Helper()
	if s.dialect != Postgres {
		return 0
	}
	var backend int
	if err := s.Reader().QueryRow(`SELECT pg_backend_pid()`).Scan(&backend); err != nil {
		b.Fatal(err)
	}
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		b.Fatal(err)
	}
	stats := map[int][]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		pid, _ := strconv.Atoi(strings.Split(file, "/")[2])
		stats[pid] = strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	}
	if stats[backend] == nil {
		return 0 // on another machine
	}
	const parent, first, last = 1, 11, 14 // fields behind the name: ppid; utime, stime, and those of children that have ended
	main := stats[backend][parent]
	ticks := 0
	for pid, fields := range stats {
		if fields[parent] == main || strconv.Itoa(pid) == main {
			for _, f := range fields[first:min(last+1, len(fields))] {
				n, _ := strconv.Atoi(f)
				ticks += n
			}
		}
	}
	return time.Duration(ticks) * 10 * time.Millisecond // of 100 in a second, on Linux
}
