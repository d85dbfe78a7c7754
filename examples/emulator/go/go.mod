module example.com/emulator

go 1.19
