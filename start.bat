@echo off
rem Starts Puppeteer by a double click. The first time it installs what is needed into the folder .venv.
rem Options are handed on: start.bat --source demo
setlocal EnableExtensions DisableDelayedExpansion
title Puppeteer
pushd "%~dp0"

set "SUITS=import sys; sys.exit(sys.version_info[:2] not in ((3, 11), (3, 12), (3, 13), (3, 14)) or sys.maxsize.bit_length() == 31)"

if not exist ".venv\Scripts\python.exe" goto look
".venv\Scripts\python.exe" -c "%SUITS%" >nul 2>&1
if %errorlevel% equ 0 goto packages

:look
set "PYTHON="
for %%P in ("py -3.13" "py -3.12" "py -3.11" "py -3.14" "py -3" "python") do if not defined PYTHON call :try %%~P
if not defined PYTHON goto nopython
echo Making a folder for the packages (.venv) ...
%PYTHON% -m venv --clear .venv
if %errorlevel% neq 0 goto failed

:packages
if not exist ".venv\installed.txt" goto install
fc /b requirements.txt ".venv\installed.txt" >nul 2>&1
if %errorlevel% equ 0 goto start

:install
echo Installing the packages. The first time this takes some minutes and about 2 GB of disk ...
".venv\Scripts\python.exe" -m pip install --disable-pip-version-check -r requirements.txt
if %errorlevel% neq 0 goto failed
copy /y requirements.txt ".venv\installed.txt" >nul

:start
".venv\Scripts\python.exe" app.py %*
if %errorlevel% equ 0 exit /b 0
if %errorlevel% equ 130 exit /b 130
echo.
echo Puppeteer has ended because of the message above. If that does not help, open a console in this folder and run
echo     .venv\Scripts\python app.py doctor
pause
exit /b 1

:nopython
echo Puppeteer needs Python 3.11 to 3.14, 64 bit, and none is found. Get it from
echo     https://www.python.org/downloads/
echo then start this file again.
pause
exit /b 1

:failed
echo.
echo The installation failed: the reason is above. Check the internet connection, then start this file again.
pause
exit /b 1

:try
%* -c "%SUITS%" >nul 2>&1
if %errorlevel% equ 0 set "PYTHON=%*"
exit /b 0
