package main

import (
	"strings"
	"testing"
	"time"
)

func TestTable(t *testing.T) {
	t.Parallel()
	ours, other := &server{kind: dragoman, version: "1"}, &server{kind: prosody, version: "2"}
	b := &bench{options: options{rounds: 3, length: time.Second}, servers: []*server{ours, other}, absent: []string{"ejabberd: not installed"}}
	m := measure{what: "chat", unit: "message", cost: "cpu", format: "%.1f µs"}
	var out strings.Builder
	b.table(&out, []results{
		{m, map[*server]figures{
			ours:  {"messages": 1234567, "p50": 1500, "p99": 20000, "p99.9": 300000, "cpu": 2.5},
			other: {"messages": 999, "cpu": 100},
		}},
		{m, map[*server]figures{ours: {"cpu": 1}}},
	}, []string{"chat, Prosody: broken\ntwice"})
	for _, line := range []string{
		"| chat | Dragoman | 1,234,567 | 1.5 ms | 20 ms | 300 ms | 2.5 µs a message | 1 |",
		"|  | Prosody | 999 | – | – | – | 100.0 µs a message | 40 |",
		"|  | Prosody | – | – | – | – | – | – |",
		"Not measured: chat, Prosody: broken twice", "Not measured: ejabberd: not installed",
	} {
		if !strings.Contains(out.String(), line+"\n") {
			t.Errorf("no line %q in\n%s", line, out.String())
		}
	}
	if err := b.refused([]results{{m, map[*server]figures{other: {}}}}); err == nil {
		t.Error("that our own server failed is no error")
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	got := median([]figures{{"cpu": 3, "p50": 1}, {"cpu": 1, "p50": 2}, {"cpu": 2, "p50": 9}})
	if got["cpu"] != 2 || got["p50"] != 2 {
		t.Error(got)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, wrong := range [][]string{{"-rounds", "0"}, {"-users", "1"}, {"chat"}, {"-for", "0s"}} {
		if o, err := parse(wrong); err == nil {
			t.Errorf("%v: %+v", wrong, o)
		}
	}
	o, err := parse([]string{"-growth"})
	if err != nil || o.servers != "dragoman" {
		t.Error(o, err)
	}
	b := bench{options: options{only: "room,PLAIN", length: time.Second}}
	if list := b.chosen(); len(list) != 5 {
		t.Errorf("-only room,PLAIN gives %d", len(list))
	}
}
