package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// table prints the comparison as Markdown: a line for each measure and server.
func (b *bench) table(w io.Writer, rows []results, notes []string) {
	fmt.Fprintln(w, b.heading())
	fmt.Fprintln(w)
	fmt.Fprintln(w, "| what | server | per second | p50 | p99 | p99.9 | server's cost | ratio |")
	fmt.Fprintln(w, "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, r := range rows {
		var ours float64
		if len(b.servers) > 0 {
			ours = r.of[b.servers[0]][r.cost]
		}
		what := r.what
		for _, s := range b.servers {
			f, ok := r.of[s]
			if !ok {
				fmt.Fprintf(w, "| %s | %s | – | – | – | – | – | – |\n", what, s.title)
				what = ""
				continue
			}
			ratio := "–"
			if cost := f[r.cost]; ours > 0 && cost > 0 {
				ratio = fmt.Sprintf("%.3g", cost/ours)
			}
			fmt.Fprintf(w, "| %s | %s | %s | %s | %s | %s | %s | %s |\n",
				what, s.title, f.rate(), f.time("p50"), f.time("p99"), f.time("p99.9"), fmt.Sprintf(r.format, f[r.cost])+" a "+r.unit, ratio)
			what = ""
		}
	}
	for _, n := range append(notes, b.absent...) {
		fmt.Fprintf(w, "\nNot measured: %s\n", strings.ReplaceAll(n, "\n", " "))
	}
}

// heading says where and when.
func (b *bench) heading() string {
	var list []string
	for _, s := range b.servers {
		list = append(list, s.title+" "+s.version)
	}
	rounds := fmt.Sprintf("Medians of %d rounds of %v.", b.rounds, b.length)
	if b.rounds == 1 {
		rounds = fmt.Sprintf("One round of %v.", b.length)
	}
	return fmt.Sprintf("%s. %s; %s. %s", time.Now().Format("2 January 2006"), strings.Join(list, ", "), machine(), rounds)
}

// machine is the processor, how many of it, memory and kernel.
func machine() string {
	cpu := field("/proc/cpuinfo", "model name")
	if cpu == "" {
		cpu = runtime.GOARCH
	}
	var kb int
	_, _ = fmt.Sscanf(field("/proc/meminfo", "MemTotal"), "%d", &kb) // 0 where it cannot be read
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return fmt.Sprintf("%d cores of %s, %.0f GB, Linux %s, %s", runtime.NumCPU(), cpu, float64(kb)/1e6, strings.TrimSpace(string(kernel)), runtime.Version())
}

// field is a line "name: value" of a file of /proc.
func field(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == name {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// rate is how many of whatever it was were done in a second.
func (f figures) rate() string {
	for _, name := range []string{"messages", "deliveries", "logins", "presences", "requests"} {
		if v, ok := f[name]; ok {
			return thousands(v)
		}
	}
	return "–"
}

func thousands(v float64) string {
	text := fmt.Sprintf("%.0f", v)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// time writes microseconds.
func (f figures) time(name string) string {
	v, ok := f[name]
	if !ok {
		return "–"
	}
	if v >= 999.5e3 {
		return fmt.Sprintf("%.3g s", v/1e6)
	}
	return fmt.Sprintf("%.3g ms", v/1000)
}
