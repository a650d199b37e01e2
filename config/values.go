package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Duration is a time span written as "90s", "5m" or "24h".
type Duration time.Duration

// UnmarshalText accepts the syntax of time.ParseDuration, but no negative spans.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fmt.Errorf("%q is not a time span such as \"30s\", \"5m\" or \"24h\"", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText is String as bytes.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String returns the shortest way to write d.
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// Bytes is a size written as "256 KiB", "1 MiB", "10 kB" or a number of bytes.
type Bytes int64

var units = []struct {
	name string
	size int64
}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1}}

// UnmarshalText reads a number with or without a unit.
func (b *Bytes) UnmarshalText(text []byte) error {
	s, size := string(text), int64(1)
	for _, u := range units {
		if n, ok := strings.CutSuffix(s, u.name); ok {
			s, size = strings.TrimSpace(n), u.size
			break
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > (1<<62)/size {
		return fmt.Errorf("%q is not a size such as \"256 KiB\", \"1 MiB\" or 10000", text)
	}
	*b = Bytes(n * size)
	return nil
}

// MarshalText is String as bytes.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// String is b in the largest binary unit that holds it without a fraction.
func (b Bytes) String() string {
	for _, u := range units[:3] {
		if b > 0 && int64(b)%u.size == 0 {
			return strconv.FormatInt(int64(b)/u.size, 10) + " " + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10) + " B"
}
