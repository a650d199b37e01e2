//go:build !race

package c2s

const raceDetector = false
