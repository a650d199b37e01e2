package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// figures are one measurement: names with values, in order.
type figures []figure

type figure struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit,omitempty"`
	Value float64 `json:"value"`
}

func (f figures) get(name string) (float64, bool) {
	for _, x := range f {
		if x.Name == name {
			return x.Value, true
		}
	}
	return 0, false
}

// run measures all targets in turn, o.repeat times, and prints the medians and their ratio.
func run(ctx context.Context, w io.Writer, o *options, measure func(context.Context, target) (figures, error)) error {
	targets, err := o.targets()
	if err != nil {
		return err
	}
	results := make([][]figures, len(targets))
	for round := range o.repeat {
		for i, t := range targets {
			f, err := measure(ctx, t)
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			results[i] = append(results[i], f)
			if !o.json {
				fmt.Fprintf(w, "round %d  %-10s %s\n", round+1, t.name, f)
			}
		}
	}
	if o.json {
		for i := range targets {
			if err := json.NewEncoder(w).Encode(medians(results[i])); err != nil {
				return err
			}
		}
		return nil
	}
	for i, t := range targets {
		fmt.Fprintf(w, "median   %-10s %s\n", t.name, medians(results[i]))
	}
	if len(targets) == 2 {
		a, b := medians(results[0]), medians(results[1])
		var parts []string
		for _, x := range a {
			if y, ok := b.get(x.Name); ok && y != 0 {
				parts = append(parts, fmt.Sprintf("%s %.3f", x.Name, x.Value/y))
			}
		}
		fmt.Fprintf(w, "ratio %s/%s  %s\n", targets[0].name, targets[1].name, strings.Join(parts, "  "))
	}
	return nil
}

// String is one line.
func (f figures) String() string {
	parts := make([]string, len(f))
	for i, x := range f {
		parts[i] = fmt.Sprintf("%s %.4g %s", x.Name, x.Value, x.Unit)
	}
	return strings.Join(parts, "  ")
}

func medians(all []figures) figures {
	if len(all) == 0 {
		return nil
	}
	var out figures
	for _, x := range all[0] {
		var values []float64
		for _, f := range all {
			if v, ok := f.get(x.Name); ok {
				values = append(values, v)
			}
		}
		slices.SortFunc(values, cmp.Compare)
		x.Value = values[len(values)/2]
		out = append(out, x)
	}
	return out
}

// quantiles gives p50, p99 and p99.9 in microseconds.
func quantiles(latencies []time.Duration) figures {
	if len(latencies) == 0 {
		return nil
	}
	slices.Sort(latencies)
	at := func(q float64) float64 {
		return float64(latencies[min(len(latencies)-1, int(q*float64(len(latencies))))]) / float64(time.Microsecond)
	}
	return figures{{"p50", "µs", at(0.5)}, {"p99", "µs", at(0.99)}, {"p99.9", "µs", at(0.999)}}
}

// perUnit is the CPU of the processes per unit, in microseconds.
func perUnit(before, after usage, n int64) figures {
	if after.cpu == 0 || n == 0 {
		return nil
	}
	return figures{{"cpu", "µs/unit", float64(after.cpu-before.cpu) / float64(time.Microsecond) / float64(n)}}
}
