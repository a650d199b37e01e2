//go:build !race

package s2s

const raceDetector = false
